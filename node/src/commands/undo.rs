//! `undo`.

use clap::Args;
use dtsen_kit::say;

use super::{Document, Done, print_json};
use crate::{
    home::{Home, Work},
    source::config,
    store::Undone,
};

#[derive(Debug, Args)]
pub(super) struct Undo {
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

impl Undo {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let _lock = home.lock(Work::Import)?;
        let undone = store.undo().await?;
        let (json, named) = (self.json, serde_json::to_value(&undone)?);
        let result = told(undone, json, home);
        if json {
            // Nothing is under `done` where nothing was taken back.
            let done = serde_json::json!({"done": named.get("done")});
            print_json(&Document::new(done, result.as_ref().err()))?;
        }
        result
    }
}

fn told(undone: Undone, json: bool, home: &Home) -> anyhow::Result<Done> {
    match undone {
        Undone::Done { sources, pending, new, changed } if !json => {
            say!(
                "Impor terakhir ({}) dibatalkan: {new} data baru dihapus, {changed} dikembalikan, {pending} perubahan tidak jadi dikirim.",
                sources.join(", ")
            );
            say!("Temuan lama muncul lagi setelah sumbernya dibaca lagi.");
            for name in sources {
                let every = config::load(home, &name).ok().and_then(|config| config.every);
                if let Some(every) = every {
                    say!(
                        "Sumber {name} dibaca sendiri tiap {every}: perbaiki dahulu di sumbernya, atau hapus: dtsen-node source remove {name}"
                    );
                }
            }
        }
        Undone::Done { .. } => {}
        Undone::Nothing => anyhow::bail!(
            "tidak ada impor yang dapat dibatalkan (belum ada, sudah dibatalkan, atau ada perpindahan yang dicatat sesudahnya)"
        ),
        Undone::Sent => anyhow::bail!(
            "impor terakhir sudah dikirim (sebagian atau seluruhnya), jadi tidak ada yang dibatalkan. Perbaiki datanya di sumber lalu impor lagi, atau: dtsen-node findings export BERKAS.xlsx"
        ),
    }
    Ok(Done::Well)
}
