//! `serve`.

use clap::Args;
use dtsen_kit::{say, stop};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use super::open_with;
use crate::{
    home::Home,
    rulebook,
    serve::{Listeners, serve},
};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Alamat layanan pertukaran, alih-alih yang di hub.toml; port 0 memilih sendiri
    #[arg(long)]
    listen: Option<String>,
    /// Alamat layanan pendaftaran, alih-alih yang di hub.toml
    #[arg(long)]
    enrol_listen: Option<String>,
}

impl Serve {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        raise_descriptors();
        let mut config = home.config()?;
        let wanted = self.listen.unwrap_or_else(|| config.listen.clone());
        let exchange = bind(&wanted).await?;
        let enrolment = bind(&self.enrol_listen.unwrap_or_else(|| config.enrol_listen.clone())).await?;
        let (at, enrol_at) = (exchange.local_addr()?, enrolment.local_addr()?);
        if wanted != config.listen {
            config.exchange_url = format!("https://{at}");
        }
        let hub = open_with(home, &config).await?;
        rulebook::ensure_first(&hub).await?;
        let holder = format!("{}-{}", std::process::id(), hex::encode(hub.ambient.bytes::<4>()));
        say!("Pusat {} melayani pertukaran di https://{at}, pendaftaran di https://{enrol_at}", hub.name);
        let stop = stop::on_signal();
        let listeners = Listeners { exchange: Box::new(exchange), enrolment: Box::new(enrolment) };
        serve(hub, listeners, holder, stop).await?;
        say!("Pusat berhenti dengan tertib.");
        Ok(())
    }
}

/// Connections are descriptors: all regions at once, each with several, and a crowd at both doors.
const DESCRIPTORS: u64 = 8_192;

/// Most systems give a process 1,024 descriptors and allow it more.
fn raise_descriptors() {
    let now = getrlimit(Resource::Nofile);
    let most = now.maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    if now.current.is_some_and(|current| current < most) {
        // Refused by a sandbox: the check below says so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: now.maximum });
    }
    if let Some(current) = getrlimit(Resource::Nofile).current.filter(|current| *current < DESCRIPTORS) {
        tracing::warn!(
            current,
            wanted = DESCRIPTORS,
            "few descriptors: when all regions come at once some begin again; set LimitNOFILE="
        );
    }
}

async fn bind(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|cause| {
        tracing::debug!(%cause, address, "cannot listen");
        let taken =
            if cause.kind() == std::io::ErrorKind::AddrInUse { " (sudah dipakai proses lain)" } else { "" };
        anyhow::anyhow!("alamat {address} tidak dapat dipakai{taken}; pilih lain dengan --listen")
    })
}
