//! Importing a delivery of people in whatever layout: the people first, then the families that they make.

mod families;

use std::collections::{BTreeMap, BTreeSet};

use dtsen_proto::{
    column::{self, Column},
    record::{Provenance, RecordKind},
    rulebook::{Finding, Severity, reason},
};
use dtsen_sources::{
    delivery::Delivery, key::RowKey, layout::sheet::Line, preview, record::Record, spool::Spooled,
};
use futures::future::BoxFuture;

use self::families::{Families, family_columns, gather, store, without_members};
use super::{
    Finished, GoneOutcome, ImportError, ImportOptions, ImportSummary, Importer, OnProgress,
    gone::{self, Missing},
    judge::Entry,
    run::{Beginning, Chunk, Run},
    scope::place_number,
};
use crate::{
    intake::FileFinding,
    store::{NewFinding, SourceId, Taken},
};

/// Rows that are read between two signs of life.
const ROWS_PER_STEP: u64 = 10_000;

/// A delivery to be imported.
pub struct Delivered<'a> {
    /// Looked at once, whole.
    pub delivery: &'a mut Delivery,
    /// Its rows.
    pub spooled: &'a mut Spooled,
    /// The file or database, as it is shown.
    pub label: &'a str,
    /// Whether its last reading was brought to its end. If not, families may be otherwise than their members that are
    /// known say: every one is made anew.
    pub settled: bool,
}

/// Families with a member that is new, changed or gone.
type Touched = BTreeSet<u64>;

/// Families that records state, by the keys of their rows.
type Claims = BTreeMap<[u8; 16], u64>;

/// People whom a delivery no longer has, and the families that they leave.
#[derive(Default)]
struct Left {
    people: Missing,
    families: Touched,
}

impl Importer<'_> {
    /// Imports a delivery.
    pub fn deliver<'a>(
        &'a self,
        delivered: Delivered<'a>,
        options: &'a ImportOptions,
        progress: &'a mut OnProgress<'a>,
    ) -> BoxFuture<'a, Result<ImportSummary, ImportError>> {
        Box::pin(async move {
            let reference = self.check(options)?;
            let run_of = self.run_of(options).await?;
            let provenance = Provenance { source: options.source.as_str().into(), reference };
            let Delivered { delivery, spooled, label, settled } = delivered;
            let mut places = crate::intake::FamilyPlaces::new();
            let mut sessions = Vec::new();
            for kind in [RecordKind::Individu, RecordKind::Keluarga] {
                sessions.push((kind, self.session(&provenance, kind, &mut places).await?));
            }
            let scope = options.complete.as_ref();
            let of_people = sessions[0].1.source;
            let own_families = delivery.found().any(|found| found.plan.kind == RecordKind::Keluarga);
            // The first time every row is understood: its family is made at once.
            let first = sessions.iter().all(|(_, session)| session.known.is_empty());
            let mut made = (first && !own_families).then(Families::new);
            let (mut touched, mut left) = (Touched::default(), Left::default());
            let mut finished = Vec::new();
            let (mut unidentified, mut doubted, mut claims) = (0, Vec::new(), Claims::default());
            for (at, (kind, session)) in sessions.iter_mut().enumerate() {
                let kind = *kind;
                let derived = kind == RecordKind::Keluarga && !own_families;
                let columns = if derived { family_columns() } else { delivery.columns(kind) };
                let of = Beginning { label, scope, path: None, run: run_of };
                let mut run = self.begin(session, columns, &provenance, of, &[]).await?;
                if derived {
                    touched.extend(&left.families);
                    touched.extend(claims.values());
                    let touched = settled.then_some(&touched);
                    let found = match made.take() {
                        Some(made) => made,
                        None => gather(&mut run, delivery, spooled, touched, label, progress)?,
                    };
                    let clinging = without_members(&claims, &found, run.known);
                    unidentified += clinging.len() as u64;
                    doubted.push((of_people, clinging));
                    self.put_families(&mut run, found, &left, (options, unidentified)).await?;
                } else {
                    let made = made.as_mut().filter(|_| kind == RecordKind::Individu);
                    people(&mut run, delivery, spooled, (kind, &mut touched, made), label, progress).await?;
                }
                run.deferred().await?;
                touched.append(&mut run.judge.left);
                if kind == RecordKind::Individu {
                    left = self.left_by_gone(&run, options).await?;
                    touched.extend(self.claims(run.source, &left.people.replaced).await?.values());
                    claims = self.claims(run.source, &run.judge.clinging).await?;
                }
                doubted.push((run.source, std::mem::take(&mut run.judge.unclear)));
                let (done, unclear) = self.ended(run, label, kind, 0).await?;
                unidentified += unclear;
                finished.push(Finished { session: at, ..done });
            }
            let summary = self.conclude(options, &provenance, &sessions, finished, unidentified).await?;
            if matches!(summary.gone, GoneOutcome::Unidentified { .. }) {
                for (source, keys) in doubted {
                    self.store.doubt(source, &keys).await?;
                }
            }
            Ok(summary)
        })
    }

    /// Those whom the delivery no longer has, and the families that they leave.
    async fn left_by_gone(&self, run: &Run<'_>, options: &ImportOptions) -> Result<Left, ImportError> {
        let Some(scope) = &options.complete else { return Ok(Left::default()) };
        let people = gone::missing(self.store, run.source, run.known, scope).await?;
        let families = self.claims(run.source, &people.keys).await?.into_values().collect();
        Ok(Left { people, families })
    }

    /// The families that the records of these rows state.
    async fn claims(&self, source: SourceId, keys: &[[u8; 16]]) -> Result<Claims, ImportError> {
        let families = self.store.families_of(source, keys).await?;
        Ok(families.into_iter().filter_map(|(key, number)| Some((key, number.parse().ok()?))).collect())
    }

    /// Imports the families that were found; those who are gone but not withdrawn stay members of theirs.
    async fn put_families(
        &self,
        run: &mut Run<'_>,
        mut found: Families,
        left: &Left,
        (options, unidentified): (&ImportOptions, u64),
    ) -> Result<(), ImportError> {
        if !left.families.is_empty()
            && !self.may_shrink(run, &left.people, &found, options, unidentified).await?
        {
            found.retain(|number, _| !left.families.contains(number));
        }
        store(run, found).await
    }

    /// Whether those who are gone will be withdrawn, with the families of which nobody is left, as [`Importer::gone`] will say.
    async fn may_shrink(
        &self,
        run: &mut Run<'_>,
        people: &Missing,
        found: &Families,
        options: &ImportOptions,
        unidentified: u64,
    ) -> Result<bool, ImportError> {
        let Some(scope) = &options.complete else { return Ok(false) };
        for number in families::with_members(found) {
            run.known.mark_met(&RowKey::Kk(number).to_bytes());
        }
        let families = gone::missing(self.store, run.source, run.known, scope).await?;
        let allowed = gone::allowed(&[people, &families], options.confirm_gone, unidentified);
        Ok(matches!(allowed, GoneOutcome::Withdrawn(_)))
    }
}

/// Imports the rows of one kind.
async fn people(
    run: &mut Run<'_>,
    delivery: &mut Delivery,
    spooled: &mut Spooled,
    (kind, touched, mut made): (RecordKind, &mut Touched, Option<&mut Families>),
    label: &str,
    progress: &mut OnProgress<'_>,
) -> Result<(), ImportError> {
    let total = spooled.len();
    let mut rows = spooled.rows().map_err(ImportError::Spool)?;
    let (mut lines, mut chunk, mut read) = (Vec::new(), Chunk::default(), 0_u64);
    let mut more = true;
    while more {
        more = delivery.next_lines(&mut rows, &mut lines).map_err(ImportError::Spool)?;
        read += 1;
        for line in lines.drain(..) {
            if delivery.kind(&line) == kind {
                one(run, delivery, &line, &mut chunk, (touched, made.as_deref_mut()));
            }
        }
        if !more || chunk.is_full() {
            run.store(std::mem::take(&mut chunk)).await?;
        }
        if !more || read.is_multiple_of(ROWS_PER_STEP) {
            progress(label, read.min(total), total);
        }
    }
    Ok(())
}

fn one(
    run: &mut Run<'_>,
    delivery: &mut Delivery,
    line: &Line,
    chunk: &mut Chunk,
    (touched, made): (&mut Touched, Option<&mut Families>),
) {
    run.judge.counts.rows += 1;
    let (key, digest) = delivery.peek(line);
    let (key, identified) = (key.to_bytes(), !matches!(key, RowKey::Digest(_)));
    if let Some((mark, before)) = line.mark.zip(line.corrected) {
        run.corrected(Taken { mark, before, key }, chunk);
    }
    if line.part {
        run.judge.counts.unchanged += 1;
        return;
    }
    let met = run.known.meet(&key, &digest);
    if met.unchanged && !met.again {
        run.judge.counts.unchanged += 1;
        return;
    }
    let record = delivery.understand(line);
    let family = delivery.family_number(line);
    touched.extend(family);
    if record.is_told(reason::ROW_SUPERSEDED) {
        // Another row says what holds: nobody's mistake.
        run.judge.counts.unchanged += 1;
        return;
    }
    if record.is_told(reason::ROW_NOT_VALID) {
        // The source itself says that nothing of it holds: somebody should know why a family shrinks. What was known of it
        // stays: should it hold again just so, its family must not be forgotten.
        let found = findings(run, &record);
        refuse(
            run,
            found.iter().filter(|found| found.finding.reason == reason::ROW_NOT_VALID),
            (key, line),
            chunk,
        );
        return;
    }
    if let Some((made, number)) = made.zip(family) {
        made.entry(number).or_default().add(&record, line);
    }
    let findings = findings(run, &record);
    let refused = findings.iter().any(|found| found.finding.severity == Severity::Error);
    // Somebody who was known by a number may stand here without it.
    if !identified {
        run.judge.unidentified += 1;
        run.judge.unclear.push(key);
    }
    if refused {
        run.judge.clinging.push(key);
        refuse(run, findings.iter(), (key, line), chunk);
        return;
    }
    let delta = record.delta(&run.judge.rulebook, &run.judge.provenance);
    let place = record.village.as_deref().and_then(place_number);
    let unread = unread(&record);
    if unread.contains(&column::I_NOMOR_KARTU_KELUARGA) {
        run.judge.clinging.push(key);
    }
    let entry = Entry {
        key,
        digest,
        place,
        sheet: line.row.sheet.clone(),
        line: record.row,
        delta,
        findings,
        again: met.again,
        last: false,
        unread,
    };
    run.push(entry, chunk);
}

/// A row that is told and not sent.
fn refuse<'f>(
    run: &mut Run<'_>,
    findings: impl Iterator<Item = &'f FileFinding>,
    (key, line): ([u8; 16], &Line),
    chunk: &mut Chunk,
) {
    run.judge.counts.errors += 1;
    chunk.set_aside.push(key);
    let told = findings.map(|found| run.judge.told_by_intake(found));
    let sheet = || line.row.sheet.clone();
    chunk.findings.extend(told.map(|told| NewFinding { key: Some(key), sheet: sheet(), ..told }));
}

/// Columns of which the row could not be read.
fn unread(record: &Record) -> Vec<Column> {
    let told = record.told.iter().filter_map(|told| told.column);
    told.filter(|column| !record.values.contains_key(column)).collect()
}

fn findings(run: &Run<'_>, record: &Record) -> Vec<FileFinding> {
    let found = record.told.iter().map(|told| FileFinding {
        finding: Finding {
            reason: told.code.into(),
            severity: preview::severity(told, &run.judge.rulebook),
            column: told.column,
        },
        line: record.row,
        column_name: told.heading.clone(),
        detail: told.broken.map(Into::into),
    });
    found.collect()
}
