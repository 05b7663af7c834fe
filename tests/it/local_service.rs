//! `dtsen-node serve`: a real process, and the applications of the Pemda that call it.

use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use dtsen_node::home::{Home, Work};
use dtsen_proto::{
    pb,
    record::{Day, RecordKind},
};
use dtsen_tests::{
    faults::{
        ledger,
        place::{Engine, Place},
        source::{self, Source},
        wait,
    },
    federation::Hub,
    population::{ANGGOTA, Family, KELUARGA, Row},
    wire::local::{Application, Serving},
};
use tonic::Code;

const REGIONS: [(&str, u64); 1] = [("52.71", 20)];
/// The loop looks every 30 s when there is nothing to do.
const SENT: Duration = Duration::from_mins(2);
/// The family that the application changes.
const CHANGED: u64 = 3;

#[test]
fn applications_read_and_write_through_the_node() -> anyhow::Result<()> {
    crate::scenario("local_service", Engine::Sqlite, run)
}

fn mode(path: &Path) -> anyhow::Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
}

fn row(kind: RecordKind, row: &Row, columns: &[&str]) -> pb::Row {
    let fields = columns.iter().map(|name| pb::Field { name: (*name).to_owned(), value: row.text(name) });
    let fields = fields.filter(|field| !field.value.is_empty()).collect();
    pb::Row { kind: kind.to_wire().into(), fields, record_id: Vec::new() }
}

fn rows(family: &Family) -> Vec<pb::Row> {
    let members = family.members.iter().map(|m| row(RecordKind::Individu, &m.anggota, &ANGGOTA));
    std::iter::once(row(RecordKind::Keluarga, &family.keluarga, &KELUARGA)).chain(members).collect()
}

fn put(rows: Vec<pb::Row>) -> anyhow::Result<pb::PutRequest> {
    let day = Day::from_date("2026-06-30".parse()?);
    Ok(pb::PutRequest { source: "aplikasi".into(), reference_day: day.0, rows })
}

fn run(place: &Place) -> anyhow::Result<()> {
    let plans = source::plans(place.seed(), &REGIONS)?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    source.load(0)?;
    source.node.sync()?;
    hub.release()?;
    source.node.sync()?;

    let serving = Serving::start(&source.node)?;
    ensure!(mode(serving.socket())? == 0o600, "the socket has mode {:o}", mode(serving.socket())?);
    for folder in [source.node.home().to_owned(), source.node.home().join("tmp")] {
        ensure!(mode(&folder)? == 0o700, "{} has mode {:o}", folder.display(), mode(&folder)?);
    }
    second_server(&source, &serving)?;
    tokens(&source, &serving)?;
    let mut application = Application::on_socket(serving.socket())?;
    let family = plans[0].people.changed_by(1, 1_000).family(CHANGED);
    reads(&mut application, &family)?;
    let queued = writes(&Home::at(source.node.home()), &mut application, &family)?;
    // The loop of the same process sends it and takes up the verdicts.
    let before = application.status()?.sent;
    let after = wait::until(SENT, || {
        let status = application.status().map_err(|status| status.to_string())?;
        let sent = status.sent == before + queued && status.pending + status.waiting == 0;
        if sent { Ok(status) } else { Err(format!("{queued} deltas and {status:?}")) }
    })?;
    ensure!(after.held + after.rejected == 0, "not all was taken: {after:?}");
    serving.stop()?;
    ledger::check(&hub, &[&source.node])
}

/// Another server on the same home, or an exchange beside it, is refused; the first one serves on.
fn second_server(source: &Source, serving: &Serving) -> anyhow::Result<()> {
    for arguments in [&["serve"][..], &["sync", "--once"]] {
        let output = source.node.command(arguments)?.output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "{arguments:?} beside a server was not refused");
        ensure!(told.contains("proses dtsen-node lain sedang memakai"), "{arguments:?} says: {told}");
    }
    Application::on_socket(serving.socket())?.status()?;
    Ok(())
}

/// The port wants the token; the socket is for its owner alone and wants none.
fn tokens(source: &Source, serving: &Serving) -> anyhow::Result<()> {
    let path = source.node.home().join("keys/local.token");
    ensure!(mode(&path)? == 0o600, "the token has mode {:o}", mode(&path)?);
    let token = std::fs::read_to_string(path)?;
    let wrong = token.chars().rev().collect::<String>();
    for shown in [None, Some(""), Some("x"), Some(&wrong[..]), Some(&token[..token.len() - 1])] {
        let mut application = Application::on_port(serving.port(), shown)?;
        let answers = [
            application.status().map(drop),
            application.put(put(Vec::new())?).map(drop),
            application.get(pb::GetRequest::default()).map(drop),
            application.query(pb::QueryRequest::default()).map(drop),
            application.findings(pb::FindingsRequest::default()).map(drop),
        ];
        for answer in answers {
            let code = answer.err().map(|status| status.code());
            ensure!(code == Some(Code::Unauthenticated), "a wrong token was answered {code:?}");
        }
    }
    let status = Application::on_port(serving.port(), Some(&token))?.status()?;
    ensure!(status.region == "52.71", "the right token: {status:?}");
    Ok(())
}

fn reads(application: &mut Application, family: &Family) -> anyhow::Result<()> {
    let status = application.status()?;
    ensure!(status.slice_version == 1 && !status.slice_expired && status.halted.is_empty(), "{status:?}");
    let nik = &family.members.first().context("a head")?.person.nik;
    for own in [false, true] {
        let kind = RecordKind::Individu.to_wire().into();
        let reply = application.get(pb::GetRequest { kind, number: nik.clone(), own })?;
        ensure!(reply.rows.len() == 1, "own {own}: {} rows for one number", reply.rows.len());
        let found =
            reply.rows[0].fields.iter().any(|f| f.name == "nomor_induk_kependudukan" && f.value == *nik);
        ensure!(found, "own {own}: another person");
        let kind = RecordKind::Keluarga.to_wire().into();
        let reply = application.get(pb::GetRequest { kind, number: family.kk.clone(), own })?;
        ensure!(reply.rows.len() == 1, "own {own}: {} rows for one family", reply.rows.len());
        let kind = RecordKind::Individu.to_wire().into();
        let reply = application.get(pb::GetRequest { kind, number: "5271014101909999".into(), own })?;
        ensure!(reply.rows.is_empty(), "own {own}: somebody under a number that is nobody's");
    }
    // Every record of the slice once, page by page.
    let (mut seen, mut after) = (0, Vec::new());
    loop {
        let page = application.query(pb::QueryRequest { kind: 0, after, limit: 7 })?;
        ensure!(page.rows.len() <= 7 && page.slice_version == 1, "a page of {}", page.rows.len());
        seen += page.rows.len();
        if page.next.is_empty() {
            break;
        }
        after = page.next;
    }
    let keluarga =
        application.query(pb::QueryRequest { kind: 1, after: Vec::new(), limit: 1000 })?.rows.len();
    let individu =
        application.query(pb::QueryRequest { kind: 2, after: Vec::new(), limit: 1000 })?.rows.len();
    ensure!(keluarga == 20 && seen == keluarga + individu, "{seen} rows, {keluarga} + {individu}");
    Ok(())
}

/// Good rows are queued, the same again are not, bad ones stay here with a finding. Gives how many were queued.
fn writes(home: &Home, application: &mut Application, family: &Family) -> anyhow::Result<u64> {
    let good = rows(family);
    let count = good.len() as u64;
    let reply = application.put(put(good.clone())?)?;
    ensure!(reply.queued == count && reply.errors == 0, "{count} rows were taken as {reply:?}");
    let again = application.put(put(good.clone())?)?;
    ensure!(again.queued == 0 && again.unchanged == count, "the same again: {again:?}");
    {
        let _importing = home.lock(Work::Import)?;
        let beside = application.put(put(good.clone())?).err().map(|status| status.code());
        ensure!(beside == Some(Code::Unavailable), "beside an import: {beside:?}");
    }
    let mut bad = good[1].clone();
    for field in &mut bad.fields {
        if field.name == "nomor_induk_kependudukan" {
            field.value = "5271019999909001".into();
        }
    }
    let reply = application.put(put(vec![bad])?)?;
    ensure!(reply.errors == 1 && reply.queued == 0, "a bad row: {reply:?}");
    let findings = application.findings(pb::FindingsRequest { limit: 10, warnings: false })?.findings;
    let own = findings.iter().find(|f| f.column == "nomor_induk_kependudukan").context("its finding")?;
    ensure!(!own.text.is_empty() && !own.fix.is_empty() && own.number.contains('•'), "a finding: {own:?}");
    let refused = application.put(pb::PutRequest { source: "Aplikasi Daerah!".into(), ..put(good.clone())? });
    let code = refused.err().map(|status| status.code());
    ensure!(code == Some(Code::InvalidArgument), "a source with a bad name: {code:?}");
    let many = std::iter::repeat_n(good[0].clone(), 1_001).collect();
    let code = application.put(put(many)?).err().map(|status| status.code());
    ensure!(code == Some(Code::InvalidArgument), "more than 1,000 rows: {code:?}");
    Ok(count)
}
