//! `version`.

use clap::Args;
use dtsen_proto::rulebook::Rulebook;

use super::{Node, Outcome, print_json};
use crate::home::Home;

/// Menampilkan versi program, protokol, dan buku aturan
#[derive(Debug, Args)]
pub(super) struct Version {
    /// Sebagai JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, serde::Serialize)]
struct Versions {
    program: &'static str,
    protocol: u32,
    schema: u32,
    rulebook: u32,
    edition: String,
}

impl Version {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Outcome> {
        // Without a node: what the program was built with.
        let rulebook = Node::open(home).await.map_or_else(|_| Rulebook::builtin(), |node| node.rulebook);
        let versions = Versions {
            program: env!("CARGO_PKG_VERSION"),
            protocol: dtsen_proto::PROTOCOL_VERSION,
            schema: dtsen_proto::SCHEMA_VERSION,
            rulebook: rulebook.version(),
            edition: rulebook.edition().to_owned(),
        };
        if self.json {
            print_json(&versions)?;
        } else {
            let Versions { program, protocol, schema, rulebook, edition } = versions;
            println!(
                "dtsen-node {program}, protokol {protocol}, skema {schema}, buku aturan {rulebook} ({edition})"
            );
        }
        Ok(Outcome::Done)
    }
}
