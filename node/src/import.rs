//! Importing files: what is new or changed since the last import of the source becomes pending deltas.
//!
//! The rows that are as they were cost a digest and a look into a table in memory. The others are read, checked by
//! the rulebook that the hub uses too, compared with what their record stated, and stored in chunks: record, pending
//! delta and digest together, so that an import that is killed loses nothing and can simply be run again. Rows with
//! errors stay in the file, are told, and are read again by the next import. Rules over a whole family are left to the
//! hub: a file of members is not sorted by family, and holding families back until their last row would not stream.

mod delivered;
mod diff;
mod file;
mod gone;
mod heading;
mod judge;
mod known;
mod moves;
mod run;
mod scope;
mod summary;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dtsen_kit::ambient::Ambient;
use dtsen_proto::{
    record::{Day, Provenance, RecordKind},
    region::Region,
    rulebook::Rulebook,
};
use dtsen_sources::correction::Corrections;
use futures::future::BoxFuture;

pub use self::{
    delivered::Delivered,
    gone::{GONE_PERCENT, GoneOutcome},
    heading::columns as heading_columns,
    moves::{Arrival, AskSlice, Departure, MoveError, Person, move_in, move_out},
    scope::{NotAScope, Scope},
    summary::{FileSummary, ImportSummary},
};
use self::{file::FileImport, gone::Missing, known::Known, run::Beginning};
use crate::{
    intake::{self, FamilyPlaces, IntakeError, RowReader, Table},
    source::still::{self, Version},
    store::{SourceId, Store, StoreError},
};

/// The source of the files that BPS hands out.
pub const DEFAULT_SOURCE: &str = "dtsen";

/// Told while it goes: name of the file, bytes read, bytes of the file.
pub type OnProgress<'a> = dyn FnMut(&str, u64, u64) + Send + 'a;

/// Why an import stopped. What was stored before stays stored; the import can be run again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The store failed.
    #[error("penyimpanan node gagal; yang sudah tersimpan tetap ada, jalankan impor sekali lagi")]
    Store(#[from] StoreError),
    /// The source's name is not one.
    #[error("--source {0}: nama sumber harus 1–32 huruf kecil, angka, atau tanda hubung, misalnya dtsen")]
    Source(String),
    /// A file was named twice.
    #[error("{}: berkas ini disebut dua kali. Sebut sekali saja", .0.display())]
    SameFile(PathBuf),
    /// The file that holds the rows meanwhile failed.
    #[error("berkas sementara gagal ({0}); periksa ruang disk, lalu jalankan lagi")]
    Spool(std::io::Error),
    /// A file changed at every reading.
    #[error(
        "{}: sedang ditulis program lain dan berubah selagi dibaca, {} kali berturut-turut. Yang terbaca sesudahnya tidak diimpor, dan tidak ada yang ditarik. Impor lagi setelah berkasnya selesai ditulis, atau batalkan dengan: dtsen-node undo",
        .path.display(), still::READINGS
    )]
    Moving {
        /// Which.
        path: PathBuf,
    },
    /// The reference day is yet to come.
    #[error("--as-of: tanggal acuan {0} belum terjadi")]
    Future(jiff::civil::Date),
}

/// What is imported, and how.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Short name of the source.
    pub source: String,
    /// The day that the data describes; today if not given.
    pub reference: Option<Day>,
    /// The scope that the files are complete for.
    pub complete: Option<Scope>,
    /// The number of rows that may be withdrawn although they are many.
    pub confirm_gone: Option<u64>,
    /// The number of the first import of the command, if this is one of several that are taken back as one.
    pub run: Option<i64>,
}

/// What imports share.
pub struct Importer<'a> {
    /// Where to.
    pub store: &'a Store,
    /// The rulebook in force.
    pub rulebook: Arc<Rulebook>,
    /// This node's region.
    pub region: Region,
    /// Clock.
    pub ambient: Ambient,
}

/// One kind of records while its files are read.
struct Session {
    source: SourceId,
    known: Known,
}

/// An import that has read its file.
struct Finished {
    import: i64,
    session: usize,
    summary: FileSummary,
}

impl Importer<'_> {
    /// Imports files given together: families first, so that members get the village of their family. If one of them is
    /// written meanwhile they are read again: what was stored came before, and is compared like any other earlier import.
    pub fn run<'a>(
        &'a self,
        files: &'a [PathBuf],
        options: &'a ImportOptions,
        progress: &'a mut OnProgress<'a>,
    ) -> BoxFuture<'a, Result<ImportSummary, ImportError>> {
        Box::pin(async move {
            for _ in 1..still::READINGS {
                let read =
                    self.once(files, options, &mut |file, read, total| progress(file, read, total)).await;
                if !matches!(read, Err(ImportError::Moving { .. })) {
                    return read;
                }
                tokio::time::sleep(still::PAUSE).await;
            }
            self.once(files, options, progress).await
        })
    }

    fn once<'a>(
        &'a self,
        files: &'a [PathBuf],
        options: &'a ImportOptions,
        progress: &'a mut OnProgress<'a>,
    ) -> BoxFuture<'a, Result<ImportSummary, ImportError>> {
        Box::pin(async move {
            let reference = self.check(options)?;
            let run = self.run_of(options).await?;
            if let Some(twice) = named_twice(files) {
                return Err(ImportError::SameFile(twice.to_owned()));
            }
            let mut tables = Vec::new();
            for path in files {
                let version = still::settled(path, self.ambient.now_ms()).await;
                tables.push((intake::open(path, &self.rulebook)?, version));
            }
            tables.sort_by_key(|(table, _)| table.kind());
            let provenance = Provenance { source: options.source.as_str().into(), reference };
            let mut places = FamilyPlaces::new();
            let mut sessions: Vec<(RecordKind, Session)> = Vec::new();
            for kind in [RecordKind::Keluarga, RecordKind::Individu] {
                // A file of members alone needs the families of earlier imports.
                if tables.iter().any(|(table, _)| table.kind() >= kind) {
                    sessions.push((kind, self.session(&provenance, kind, &mut places).await?));
                }
            }
            let corrections = self.store.corrections(&options.source).await?;
            let mut finished: Vec<Finished> = Vec::new();
            let mut unidentified = 0;
            for (table, version) in tables {
                let kind = table.kind();
                let at = sessions.iter().position(|(of, _)| *of == kind).expect("opened above");
                let session = &mut sessions[at].1;
                let name = file::file_name(table.path());
                let path = std::path::absolute(table.path()).ok();
                let scope = options.complete.as_ref();
                let of = Beginning { label: &name, scope, path: path.as_deref(), run };
                let read = (table, version, &mut places, &corrections);
                let (done, unclear) = self.file(read, session, &provenance, of, progress).await?;
                unidentified += unclear;
                finished.push(Finished { session: at, ..done });
            }
            self.conclude(options, &provenance, &sessions, finished, unidentified).await
        })
    }

    fn today(&self) -> Day {
        Day::of_ms(self.ambient.now_ms())
    }

    fn check(&self, options: &ImportOptions) -> Result<Day, ImportError> {
        let name = options.source.as_bytes();
        let fits = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        let longest = dtsen_proto::limits::MAX_SOURCE_BYTES;
        if name.is_empty() || name.len() > longest || !name.iter().all(fits) {
            return Err(ImportError::Source(options.source.clone()));
        }
        let today = self.today();
        match options.reference {
            Some(day) if day > today => Err(ImportError::Future(day.date().unwrap_or_default())),
            given => Ok(given.unwrap_or(today)),
        }
    }

    async fn run_of(&self, options: &ImportOptions) -> Result<i64, ImportError> {
        Ok(match options.run {
            Some(run) => run,
            None => self.store.next_import().await?,
        })
    }

    /// Loads what is known of one kind of records, and the villages of families.
    async fn session(
        &self,
        provenance: &Provenance,
        kind: RecordKind,
        places: &mut FamilyPlaces,
    ) -> Result<Session, ImportError> {
        let source = self.store.source(&provenance.source, kind).await?;
        let mut known = Known::default();
        let mut villages = std::collections::HashMap::new();
        let mut after = Vec::new();
        loop {
            let page = self.store.known_page(source, &after, gone::PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.key.to_vec();
            for row in &page {
                known.add(&row.key, &row.digest);
                if let Some((number, place)) = family_number(kind, &row.key).zip(row.place) {
                    let village = villages.entry(place).or_insert_with(|| scope::place_code(place));
                    places.insert(number, village);
                }
            }
        }
        known.ready();
        Ok(Session { source, known })
    }

    async fn file(
        &self,
        (table, version, places, corrections): (Table, Option<Version>, &mut FamilyPlaces, &Corrections),
        session: &mut Session,
        provenance: &Provenance,
        of: Beginning<'_>,
        progress: &mut OnProgress<'_>,
    ) -> Result<(Finished, u64), ImportError> {
        let columns = heading::columns(&table, &self.rulebook);
        let kind = table.kind();
        let run = self.begin(session, columns, provenance, of, table.notices()).await?;
        let notices = table.notices().len() as u64;
        let reader =
            RowReader::new(Arc::clone(&self.rulebook), self.region, provenance.reference, &provenance.source);
        let with_families = !places.is_empty();
        let mut file = FileImport { run, table, version, reader, places, with_families, corrections };
        file.run(progress).await?;
        self.ended(file.run, of.label, kind, notices).await
    }

    /// Withdraws what the files no longer have, if they are complete and not too much is missing.
    async fn gone(
        &self,
        options: &ImportOptions,
        provenance: &Provenance,
        sessions: &[(RecordKind, Session)],
        finished: &mut [Finished],
        unidentified: u64,
    ) -> Result<GoneOutcome, ImportError> {
        let Some(scope) = &options.complete else { return Ok(GoneOutcome::NotAsked) };
        let mut missing: Vec<(usize, Missing)> = Vec::new();
        for (at, (_, session)) in sessions.iter().enumerate() {
            // The last file of a kind speaks for all of them.
            if let Some(last) = finished.iter().rposition(|done| done.session == at) {
                missing.push((last, gone::missing(self.store, session.source, &session.known, scope).await?));
            }
        }
        let all: Vec<&Missing> = missing.iter().map(|(_, missing)| missing).collect();
        let outcome = gone::allowed(&all, options.confirm_gone, unidentified);
        let allowed = matches!(outcome, GoneOutcome::Withdrawn(_));
        for (last, missing) in &missing {
            let done = &mut finished[*last];
            let source = sessions[done.session].1.source;
            let keys: &[&[_]] = &[&missing.replaced, if allowed { &missing.keys } else { &[] }];
            let keys = keys.concat();
            let queued = gone::withdraw(self.store, (done.import, source), &keys, provenance).await?;
            done.summary.counts.gone += keys.len() as u64;
            done.summary.counts.queued += queued;
        }
        Ok(outcome)
    }
}

/// A file that is named more than once, by whatever path.
fn named_twice(files: &[PathBuf]) -> Option<&Path> {
    let mut met = std::collections::HashSet::new();
    let whole = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    files.iter().find(|path| !met.insert(whole(path))).map(PathBuf::as_path)
}

/// The No. KK in the key of a family's row.
fn family_number(kind: RecordKind, key: &[u8; 16]) -> Option<u64> {
    /// First byte of the key of a family with a sound number.
    const KK_KEY: u8 = 2;
    let number = u64::from_be_bytes(key[8..].try_into().expect("eight of sixteen"));
    (kind == RecordKind::Keluarga && key[0] == KK_KEY).then_some(number)
}

#[cfg(test)]
mod tests;
