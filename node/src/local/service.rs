//! The calls of the local service.

use std::{path::PathBuf, sync::Arc};

use dtsen_kit::{ambient::Ambient, files};
use dtsen_proto::{
    id::RecordId,
    pb::{self, local_server::Local},
    record::{Day, Delta, RecordKind},
    region::Region,
    rulebook::{Rulebook, Severity},
};
use prost::Message as _;
use tonic::{Request, Response, Status};

use crate::{
    export,
    home::{Home, HomeError, Work},
    import::{ImportOptions, Importer},
    rulebook::Current,
    store::{FindingFilter, Origin, SliceState, Store, setting},
};

/// Folder of a home in which rows stand while they are taken in.
pub const FOLDER: &str = "tmp";
/// Rows of one call.
const MAX_ROWS: usize = 1_000;

/// Serves the Pemda's own applications.
pub struct LocalService {
    store: Arc<Store>,
    region: Region,
    rulebook: Current,
    ambient: Ambient,
    /// Whose lock keeps imports apart, and where rows stand while they are taken in.
    home: Home,
    /// One import at a time.
    importing: tokio::sync::Mutex<()>,
}

type Answer<T> = Result<Response<T>, Status>;

fn failed(error: impl std::error::Error + 'static) -> Status {
    tracing::error!(error = %dtsen_kit::telemetry::chain(&error), "a local call failed");
    Status::internal("penyimpanan node gagal; lihat log")
}

fn limit(asked: u32) -> u32 {
    let most = u32::try_from(MAX_ROWS).expect("small");
    if asked == 0 { most } else { asked.min(most) }
}

impl LocalService {
    /// A service over the store of a home.
    pub fn new(store: Arc<Store>, region: Region, ambient: Ambient, home: Home) -> Self {
        let rulebook = Current::new();
        Self { store, region, rulebook, ambient, home, importing: tokio::sync::Mutex::new(()) }
    }

    async fn rulebook(&self) -> Result<Arc<Rulebook>, Status> {
        self.rulebook.get(&self.store).await.map_err(failed)
    }

    fn is_expired(&self, state: &SliceState) -> bool {
        state.version > 0 && state.expires_ms <= self.ambient.now_ms()
    }

    /// Rows of one kind as a file that an import reads.
    fn write_rows(&self, kind: RecordKind, rows: &[&pb::Row]) -> Result<PathBuf, Status> {
        let mut names: Vec<&str> =
            rows.iter().flat_map(|r| r.fields.iter().map(|f| f.name.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        let mut writer = csv::WriterBuilder::new().delimiter(b'|').from_writer(Vec::new());
        writer.write_record(&names).map_err(failed)?;
        for row in rows {
            let value =
                |name: &&str| row.fields.iter().find(|f| f.name == *name).map_or("", |f| f.value.as_str());
            writer.write_record(names.iter().map(value)).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|e| failed(e.into_error()))?;
        let name =
            if kind == RecordKind::Keluarga { "aplikasi-keluarga.csv" } else { "aplikasi-anggota.csv" };
        let path = self.home.path().join(FOLDER).join(name);
        files::write_private(&path, &bytes).map_err(failed)?;
        Ok(path)
    }
}

fn to_row(book: &Rulebook, kind: RecordKind, id: Option<RecordId>, cells: &[export::Cell]) -> pb::Row {
    let fields = cells.iter().filter_map(|(column, value)| {
        let info = book.column(*column)?;
        Some(pb::Field { name: info.name.clone(), value: export::text(value, info.shape) })
    });
    pb::Row {
        kind: kind.to_wire().into(),
        fields: fields.collect(),
        record_id: id.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
    }
}

fn of_leaf(book: &Rulebook, leaf: &[u8]) -> Option<pb::Row> {
    let record = pb::SliceRecord::decode(leaf).ok()?;
    let kind = RecordKind::from_wire(record.kind)?;
    let id = RecordId::from_slice(&record.record_id);
    Some(to_row(book, kind, id, &export::cells(leaf)?))
}

fn of_own(book: &Rulebook, delta: &Delta, id: Option<RecordId>) -> pb::Row {
    let cells: Vec<_> = delta.blocks.iter().flat_map(|b| b.cells.iter().cloned()).collect();
    to_row(book, delta.kind, id, &cells)
}

#[tonic::async_trait]
impl Local for LocalService {
    async fn put(&self, request: Request<pb::PutRequest>) -> Answer<pb::PutReply> {
        let request = request.into_inner();
        if request.rows.len() > MAX_ROWS {
            return Err(Status::invalid_argument(format!("paling banyak {MAX_ROWS} baris sekali kirim")));
        }
        let _one = self.importing.lock().await;
        // An import beside this one, by the command, would judge by what was known before.
        let _lock = self.home.lock(Work::Import).map_err(|error| match error {
            HomeError::Locked(_) => Status::unavailable("impor lain sedang berjalan; coba lagi nanti"),
            other => failed(other),
        })?;
        let mut files = Vec::new();
        for kind in [RecordKind::Keluarga, RecordKind::Individu] {
            let wire = i32::from(kind.to_wire());
            let rows: Vec<&pb::Row> = request.rows.iter().filter(|r| r.kind == wire).collect();
            if !rows.is_empty() {
                files.push(self.write_rows(kind, &rows)?);
            }
        }
        let options = ImportOptions {
            source: request.source,
            reference: (request.reference_day != 0).then_some(Day(request.reference_day)),
            complete: None,
            confirm_gone: None,
            run: None,
        };
        let importer = Importer {
            store: &self.store,
            rulebook: self.rulebook().await?,
            region: self.region,
            ambient: self.ambient.clone(),
        };
        let done = importer.run(&files, &options, &mut |_, _, _| {}).await;
        for path in &files {
            // A file that is left is overwritten by the next call.
            let _ = std::fs::remove_file(path);
        }
        let done = done.map_err(|error| Status::invalid_argument(error.to_string()))?;
        let sum = |of: fn(&crate::store::Counts) -> u64| done.files.iter().map(|f| of(&f.counts)).sum();
        Ok(Response::new(pb::PutReply {
            queued: sum(|c| c.queued),
            unchanged: sum(|c| c.unchanged),
            errors: done.errors(),
        }))
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Answer<pb::GetReply> {
        let request = request.into_inner();
        let kind = RecordKind::from_wire(request.kind).ok_or_else(|| Status::invalid_argument("isi kind"))?;
        let state = self.store.slice_state().await.map_err(failed)?;
        let book = self.rulebook().await?;
        let rows = if request.own {
            let own = self.store.records_by_number(kind, &request.number).await.map_err(failed)?;
            own.iter().map(|r| of_own(&book, &r.content, r.hub_id)).collect()
        } else {
            let leaves = self.store.slice_by_number(kind, &request.number).await.map_err(failed)?;
            leaves.iter().filter_map(|leaf| of_leaf(&book, leaf)).collect()
        };
        let slice_expired = self.is_expired(&state);
        Ok(Response::new(pb::GetReply { rows, slice_version: state.version, slice_expired }))
    }

    async fn query(&self, request: Request<pb::QueryRequest>) -> Answer<pb::QueryReply> {
        let request = request.into_inner();
        let state = self.store.slice_state().await.map_err(failed)?;
        let only = RecordKind::from_wire(request.kind);
        let first = only.map_or(0, |k| i32::from(k.to_wire()) - 1);
        let (kind, id) = match request.after.split_first() {
            Some((kind, id)) => (i32::from(*kind), id.to_vec()),
            None => (first, vec![0xff; 17]),
        };
        let page = self.store.slice_page(kind, &id, limit(request.limit)).await.map_err(failed)?;
        let fits = |kind: RecordKind| only.is_none_or(|only| only == kind);
        let book = self.rulebook().await?;
        let rows: Vec<pb::Row> =
            page.iter().filter(|((k, _), _)| fits(*k)).filter_map(|(_, leaf)| of_leaf(&book, leaf)).collect();
        let next = page.last().filter(|((k, _), _)| fits(*k)).map_or_else(Vec::new, |((kind, id), _)| {
            let kind = u8::try_from(i32::from(kind.to_wire())).expect("1 or 2");
            [&[kind], id.as_bytes().as_slice()].concat()
        });
        let slice_expired = self.is_expired(&state);
        Ok(Response::new(pb::QueryReply { rows, next, slice_version: state.version, slice_expired }))
    }

    async fn findings(&self, request: Request<pb::FindingsRequest>) -> Answer<pb::FindingsReply> {
        let request = request.get_ref();
        let at_least = if request.warnings { Severity::Warning } else { Severity::Hold };
        let filter = FindingFilter { origin: None, at_least, limit: limit(request.limit) };
        let rows = self.store.findings(&filter).await.map_err(failed)?;
        let book = self.rulebook().await?;
        let findings = rows.into_iter().map(|row| {
            let info = book.reason(&row.reason);
            let column = row.column.and_then(|c| book.column(c)).map(|c| c.name.clone());
            pb::LocalFinding {
                from_hub: row.origin == Origin::Hub,
                text: info.map_or_else(String::new, |i| i.text_id.clone()),
                fix: info.map_or_else(String::new, |i| i.fix_id.clone()),
                reason: row.reason,
                file: row.file.unwrap_or_default(),
                line: row.line.unwrap_or(0),
                column: row.column_name.or(column).unwrap_or_default(),
                number: row.number.unwrap_or_default(),
            }
        });
        Ok(Response::new(pb::FindingsReply { findings: findings.collect() }))
    }

    async fn status(&self, _: Request<pb::StatusRequest>) -> Answer<pb::StatusReply> {
        let totals = self.store.totals().await.map_err(failed)?;
        let state = self.store.slice_state().await.map_err(failed)?;
        let halted = self.store.text_setting(setting::HALTED).await.map_err(failed)?;
        Ok(Response::new(pb::StatusReply {
            region: self.region.to_string(),
            pending: totals.pending + totals.sealed,
            sent: totals.sent,
            accepted: totals.accepted,
            warned: totals.warned,
            held: totals.held,
            rejected: totals.rejected,
            waiting: totals.waiting,
            slice_version: state.version,
            slice_expired: self.is_expired(&state),
            halted: halted.unwrap_or_default(),
        }))
    }
}
