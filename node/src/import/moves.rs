//! The two halves of a move between regions, as an operator declares them.

use std::collections::BTreeSet;

use dtsen_proto::{
    column::{self, BlockNo, Column},
    id::RecordId,
    mask::Masked,
    record::{Action, Block, Day, Delta, Move, Provenance, RecordKind, Value},
    region::Region,
    rulebook::{CheckContext, Severity},
};
use futures::future::BoxFuture;

use super::Importer;
use crate::store::{Change, StoreError, StoredRecord};

/// The source of what an operator declares.
const SOURCE: &str = "pindah";

/// A family leaves.
#[derive(Debug, Clone)]
pub struct Departure {
    /// Its No. KK.
    pub kk: String,
    /// Where to.
    pub to: Region,
    /// When.
    pub day: Day,
}

/// A person who arrives.
#[derive(Clone)]
pub struct Person {
    /// The NIK.
    pub nik: String,
    /// The name; may be left out if a file of this node has the person.
    pub name: Option<String>,
}

/// Personal data: only the end of the number is printed.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", Masked(&self.nik))
    }
}

/// A family arrives.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Its No. KK.
    pub kk: String,
    /// The persons who come.
    pub persons: Vec<Person>,
    /// Kemendagri code of the village where they live now.
    pub village: String,
    /// Where from.
    pub from: Region,
    /// When.
    pub day: Day,
}

/// Why a move cannot be declared.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The store failed.
    #[error("penyimpanan node gagal; belum ada yang masuk antrean")]
    Store(#[from] StoreError),
    /// The slice could not be asked.
    #[error("keluarga tidak dapat dicari dalam irisan data")]
    Slice(#[source] anyhow::Error),
    /// Nobody knows the family.
    #[error(
        "No. KK {0} tidak ada dalam data impor maupun irisan data. Periksa nomornya, atau impor berkasnya dulu"
    )]
    FamilyUnknown(String),
    /// A person of whom only the number is known.
    #[error("nama untuk NIK {0} belum dikenal. Tulis --nik NIK=NAMA, atau impor berkasnya dulu")]
    NameMissing(String),
    /// The rulebook refuses it.
    #[error("{number}: {text}. {fix}")]
    Refused {
        /// Of whom, masked.
        number: String,
        /// What is wrong.
        text: String,
        /// What to do.
        fix: String,
    },
}

/// Asks the slice for a family and its members by No. KK: what it states of each, with the hub's id.
pub type AskSlice<'a> = dyn Fn(String) -> BoxFuture<'a, anyhow::Result<Vec<Delta>>> + Send + Sync + 'a;

/// A family or person that moves.
struct Mover {
    change_of: Option<i64>,
    kind: RecordKind,
    id: Option<RecordId>,
    number: Option<String>,
}

impl From<StoredRecord> for Mover {
    fn from(record: StoredRecord) -> Self {
        let (kind, number) = (record.content.kind, record.content.natural_key().map(str::to_owned));
        Self { change_of: Some(record.id), kind, id: record.hub_id, number }
    }
}

fn block(number: BlockNo, day: Day, cells: Vec<(Column, Value)>) -> Block {
    let provenance = Provenance { source: SOURCE.into(), reference: day };
    Block { number, provenance, cells }
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn number_column(kind: RecordKind) -> Column {
    match kind {
        RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
        RecordKind::Individu => column::I_NIK,
    }
}

/// Declares that a family and its members leave; tells how many deltas that made.
pub async fn move_out(
    node: &Importer<'_>,
    departure: &Departure,
    ask_slice: &AskSlice<'_>,
) -> Result<usize, MoveError> {
    let kk = departure.kk.as_str();
    let mut movers: Vec<Mover> = Vec::new();
    // The newest record of each: another source may have the same family.
    let family = node.store.records_by_number(RecordKind::Keluarga, kk).await?;
    movers.extend(family.into_iter().next_back().map(Mover::from));
    let mut met = BTreeSet::new();
    for member in node.store.members(kk).await?.into_iter().rev() {
        let mover = Mover::from(member);
        if mover.number.as_ref().is_none_or(|number| met.insert(number.clone())) {
            movers.push(mover);
        }
    }
    if !movers.iter().any(|mover| mover.kind == RecordKind::Keluarga) {
        let slice = ask_slice(kk.to_owned()).await.map_err(MoveError::Slice)?;
        for content in slice {
            let number = content.natural_key().map(str::to_owned);
            if number.as_ref().is_none_or(|number| met.insert(number.clone())) {
                movers.push(Mover { change_of: None, kind: content.kind, id: content.record, number });
            }
        }
    }
    if movers.is_empty() {
        return Err(MoveError::FamilyUnknown(Masked(kk).to_string()));
    }
    let transfer = Move { other: departure.to, day: departure.day };
    let changes = movers.into_iter().map(|mover| {
        // Until the hub's id is known, the number tells which record is meant.
        let number = mover.number.filter(|_| mover.id.is_none());
        let identity = number.map(|n| {
            block(mover.kind.identity(), departure.day, vec![(number_column(mover.kind), text(&n))])
        });
        let delta = Delta {
            record: mover.id,
            transfer: Some(transfer),
            ..Delta::new(mover.kind, Action::MoveOut, identity.into_iter().collect())
        };
        Change { record: mover.change_of, delta }
    });
    queue(node, changes.collect()).await
}

/// Declares that a family with these persons arrives; tells how many deltas that made.
pub async fn move_in(node: &Importer<'_>, arrival: &Arrival) -> Result<usize, MoveError> {
    let day = arrival.day;
    let delta = |kind: RecordKind, record: Option<&StoredRecord>, identity, domicile: (BlockNo, Column)| {
        let blocks = vec![
            block(kind.identity(), day, identity),
            block(domicile.0, day, vec![(domicile.1, text(&arrival.village))]),
        ];
        let transfer = Some(Move { other: arrival.from, day });
        let id = record.and_then(|record| record.hub_id);
        let delta = Delta { record: id, transfer, ..Delta::new(kind, Action::MoveIn, blocks) };
        Change { record: record.map(|record| record.id), delta }
    };
    let own = |kind, number: &str| {
        let number = number.to_owned();
        async move { Ok::<_, StoreError>(node.store.records_by_number(kind, &number).await?.pop()) }
    };
    let family = own(RecordKind::Keluarga, &arrival.kk).await?;
    let identity = vec![(column::K_NOMOR_KARTU_KELUARGA, text(&arrival.kk))];
    let domicile = (column::K_DOMISILI, column::K_KODE_WILAYAH);
    let mut changes = vec![delta(RecordKind::Keluarga, family.as_ref(), identity, domicile)];
    for person in &arrival.persons {
        let record = own(RecordKind::Individu, &person.nik).await?;
        let known = record.as_ref().and_then(|record| record.content.text(column::I_NAMA));
        let name = person.name.as_deref().or(known);
        let name = name.ok_or_else(|| MoveError::NameMissing(Masked(&person.nik).to_string()))?;
        let identity = vec![
            (column::I_NIK, text(&person.nik)),
            (column::I_NOMOR_KARTU_KELUARGA, text(&arrival.kk)),
            (column::I_NAMA, text(name)),
        ];
        let domicile = (column::I_DOMISILI, column::I_KODE_WILAYAH);
        changes.push(delta(RecordKind::Individu, record.as_ref(), identity, domicile));
    }
    queue(node, changes).await
}

/// Checks all of them, then queues all or none.
async fn queue(node: &Importer<'_>, changes: Vec<Change>) -> Result<usize, MoveError> {
    let context = CheckContext { region: node.region, today: Day::of_ms(node.ambient.now_ms()) };
    for change in &changes {
        let found = node.rulebook.check(&change.delta, &context);
        if let Some(wrong) = found.iter().find(|finding| finding.severity == Severity::Error) {
            let reason = node.rulebook.reason(&wrong.reason);
            return Err(MoveError::Refused {
                number: Masked(change.delta.natural_key().unwrap_or_default()).to_string(),
                text: reason.map_or_else(|| wrong.reason.to_string(), |reason| reason.text_id.clone()),
                fix: reason.map_or_else(String::new, |reason| reason.fix_id.clone()),
            });
        }
    }
    node.store.queue(SOURCE, &changes).await?;
    Ok(changes.len())
}
