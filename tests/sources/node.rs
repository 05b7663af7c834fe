//! A node that reads sources, and what is in its store afterwards.

use std::collections::BTreeMap;

use dtsen_proto::record::{Delta, RecordKind};
use dtsen_tests::federation::Node;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// A node in a folder that ends with it.
pub(crate) struct Reader {
    folder: tempfile::TempDir,
    pub(crate) node: Node,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let region = "52.01".parse().expect("a region");
        let node = Node::create(&folder.path().join("node"), region).expect("a node");
        Self { folder, node }
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Runs a command that must go well.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.node.run(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error:#}"))
    }

    /// Runs a command that must fail; what it says.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output =
            self.node.command(arguments).and_then(|mut command| Ok(command.output()?)).expect("starts");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn deltas(&self, sql: &'static str) -> Vec<Delta> {
        let path = self.node.home().join("node.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(path).read_only(true);
            let mut store = SqliteConnection::connect_with(&options).await.expect("opens");
            let rows = sqlx::query(sql).fetch_all(&mut store).await.expect("reads");
            rows.iter().map(|row| Delta::decode(row.get::<&[u8], _>(0)).expect("a delta")).collect()
        })
    }

    /// Everything that is stated, by number; those without one by name.
    pub(crate) fn stated(&self, kind: RecordKind) -> BTreeMap<String, Delta> {
        let all = self.deltas("SELECT delta FROM record ORDER BY id");
        all.into_iter().filter(|delta| delta.kind == kind).map(|delta| (name(&delta), delta)).collect()
    }

    /// What is stated of rows that are not withdrawn.
    pub(crate) fn in_force(&self) -> Vec<Delta> {
        self.deltas(
            "SELECT r.delta FROM known_row k JOIN record r ON r.id = k.record WHERE k.gone = 0 ORDER BY r.id",
        )
    }

    /// Runs statements on the node's store.
    pub(crate) fn change_store(&self, sql: &'static str) {
        let path = self.node.home().join("node.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(path);
            let mut store = SqliteConnection::connect_with(&options).await.expect("opens");
            sqlx::raw_sql(sql).execute(&mut store).await.expect("changes");
        });
    }

    /// What waits to be sent, by number or name; then it is forgotten, as if it had been sent.
    pub(crate) fn take_pending(&self) -> Vec<(String, Delta)> {
        let all = self.deltas("SELECT delta FROM pending ORDER BY id");
        self.change_store("DELETE FROM pending");
        all.into_iter().map(|delta| (name(&delta), delta)).collect()
    }
}

fn name(delta: &Delta) -> String {
    let text = delta.natural_key().or_else(|| delta.text(dtsen_proto::column::I_NAMA));
    text.unwrap_or_default().to_owned()
}
