//! `serve`.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use dtsen_kit::{ambient::Ambient, files, net::Tcp, say, stop};
use tokio::net::TcpListener;

use super::Done;
use crate::{
    follow,
    home::{Home, Work},
    local::{self, LocalService},
    source::{due, run::Runner},
};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Soket Unix untuk aplikasi daerah (bawaan: node.sock di folder node)
    #[arg(long, value_name = "BERKAS")]
    socket: Option<PathBuf>,
    /// Juga melayani di port loopback, misalnya 127.0.0.1:7450, dengan token di keys/local.token
    #[arg(long, value_name = "ALAMAT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        let _lock = home.lock(Work::Exchange)?;
        let ambient = Ambient::system();
        let agent = home.agent(store.clone(), region, Arc::new(Tcp)).await?;
        files::private_folder(&home.path().join(local::FOLDER))?;
        let sources = store.clone();
        let service = Arc::new(LocalService::new(store, region, ambient.clone(), home.clone()));
        let stop = stop::on_signal();
        let socket = self.socket.unwrap_or_else(|| home.path().join("node.sock"));
        say!("Node {region} melayani aplikasi daerah di {}", socket.display());
        let port = async {
            let Some(address) = &self.listen else { return Ok(()) };
            let listener = TcpListener::bind(address).await.map_err(local::LocalError::Listen)?;
            let token = home.local_token(&ambient)?;
            say!("Juga di {}, token di {}", listener.local_addr()?, home.local_token_path().display());
            local::on_port(service.clone(), listener, token, stop.clone()).await?;
            anyhow::Ok(())
        };
        let socket = async { anyhow::Ok(local::on_socket(service.clone(), &socket, stop.clone()).await?) };
        let exchange = async {
            let mut tell = |line| say!("{line}");
            tokio::select! {
                () = stop.cancelled() => {}
                () = follow::forever(&agent, &mut tell) => {}
            }
            anyhow::Ok(())
        };
        let reading = Runner { home, store: &sources, region, ambient: ambient.clone() };
        let sources = async {
            let mut tell = |line| say!("{line}");
            tokio::select! {
                () = stop.cancelled() => {}
                () = due::forever(&reading, &mut tell) => {}
            }
            anyhow::Ok(())
        };
        tokio::try_join!(port, socket, exchange, sources)?;
        say!("Node berhenti dengan tertib.");
        Ok(Done::Well)
    }
}
