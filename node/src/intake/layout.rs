//! What the columns of a file mean.

use dtsen_proto::{
    column::{self, BlockNo, Column},
    record::RecordKind,
    rulebook::{ColumnInfo, Owner, Rulebook, reason},
};
use dtsen_sources::{
    clean::{encoding::decode, number, text::clean},
    value::Reading,
};
use sha2::{Digest as _, Sha256};

use super::finding::{Detail, FileFinding};

/// Goes into every digest: one more whenever the same bytes are read differently.
const READER_VERSION: u32 = 3;
/// Foreign columns that a notice names.
const NAMED_AT_MOST: usize = 20;
/// Characters of a foreign column's name that a notice shows.
const NAME_AT_MOST: usize = 64;

/// One column of the file that is read.
pub(super) struct Plan {
    /// Its place in the row.
    pub(super) field: usize,
    /// As the file names it.
    pub(super) name: String,
    pub(super) column: Column,
    pub(super) block: BlockNo,
    pub(super) reading: Reading,
    /// For NIK and No. KK.
    pub(super) number: number::Column,
}

/// Where the columns stand that a place is read from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PlaceFields {
    pub(super) kabupaten_kota: Option<usize>,
    pub(super) kecamatan: Option<usize>,
    pub(super) kelurahan_desa: Option<usize>,
    /// Kemendagri code of the KTP address.
    pub(super) kode_ktp: Option<usize>,
    /// BPS codes of the village and of its kecamatan, for a rulebook with a bridge.
    pub(super) bps_desa: Option<usize>,
    pub(super) bps_kecamatan: Option<usize>,
    /// Kemendagri code of the domicile, as our own exports have it.
    pub(super) kode_wilayah: Option<usize>,
}

/// The columns of a file, in the order of blocks and columns.
pub(super) struct Layout {
    pub(super) kind: RecordKind,
    pub(super) plans: Vec<Plan>,
    pub(super) place: PlaceFields,
}

/// Heading of a file.
pub(super) struct Heading {
    /// Its physical line.
    pub(super) line: u64,
    pub(super) delimiter: u8,
    pub(super) fields: Vec<Vec<u8>>,
}

/// Two columns of the heading that are the same.
pub(super) struct Twice {
    pub(super) name: String,
    pub(super) first: usize,
    pub(super) second: usize,
}

/// A column's name as the file has it, without padding; blanks inside stand for `_`.
pub(super) fn heading_name(field: &[u8]) -> String {
    let (text, _) = decode(field);
    let text = clean(&text);
    text.split_whitespace().collect::<Vec<_>>().join("_")
}

impl Layout {
    /// Reads a heading as that of such records, with the notices about what is left out.
    pub(super) fn of(
        rulebook: &Rulebook,
        kind: RecordKind,
        heading: &Heading,
    ) -> Result<(Self, Vec<FileFinding>), Twice> {
        let names: Vec<String> = heading.fields.iter().map(|field| heading_name(field)).collect();
        let mut plans: Vec<Plan> = Vec::new();
        let (mut hub, mut foreign) = (Vec::new(), Vec::new());
        for (field, name) in names.iter().enumerate() {
            let Some(info) = rulebook.column_named(kind, name) else {
                foreign.push(shown(name, field));
                continue;
            };
            if rulebook.block(info.block).is_some_and(|block| block.owner == Owner::Hub) {
                hub.push((info.number, name.as_str()));
                continue;
            }
            let before = plans.iter().position(|plan| plan.column == info.number);
            let own = |name: &str| name.eq_ignore_ascii_case(&info.name);
            match before {
                None => plans.push(plan(rulebook, info, field, name)),
                // Both the older name and the one of today: today's counts.
                Some(at) if own(name) && !own(&plans[at].name) => {
                    foreign.push(shown(&plans[at].name, plans[at].field));
                    plans[at] = plan(rulebook, info, field, name);
                }
                Some(at) if own(name) || !own(&plans[at].name) => {
                    return Err(Twice { name: name.clone(), first: plans[at].field + 1, second: field + 1 });
                }
                Some(_) => foreign.push(shown(name, field)),
            }
        }
        plans.sort_by_key(|plan| (plan.block, plan.column));
        let place = place_fields(kind, &plans);
        Ok((Self { kind, plans, place }, notices(rulebook, heading.line, &hub, &foreign)))
    }

    /// The plan of a column, if the file has it.
    pub(super) fn plan(&self, column: Column) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.column == column)
    }

    /// The column of the number that the records are known by.
    pub(super) fn key(&self) -> Option<&Plan> {
        self.plan(match self.kind {
            RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
            RecordKind::Individu => column::I_NIK,
        })
    }

    /// The column of the number of the family.
    pub(super) fn family(&self) -> Option<&Plan> {
        self.plan(match self.kind {
            RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
            RecordKind::Individu => column::I_NOMOR_KARTU_KELUARGA,
        })
    }

    /// Everything besides its bytes that the reading of a row depends on.
    pub(super) fn seed(&self, rulebook: &Rulebook, delimiter: u8, expected: usize) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"dtsen intake");
        hash.update(READER_VERSION.to_be_bytes());
        hash.update(rulebook.version().to_be_bytes());
        hash.update([delimiter, u8::from(self.kind == RecordKind::Individu)]);
        hash.update((expected as u64).to_be_bytes());
        for plan in &self.plans {
            hash.update((plan.field as u64).to_be_bytes());
            hash.update(plan.column.0.to_be_bytes());
            hash.update([u8::from(plan.number.lost), u8::from(plan.number.quoted)]);
        }
        hash.finalize().into()
    }
}

fn plan(rulebook: &Rulebook, info: &ColumnInfo, field: usize, name: &str) -> Plan {
    Plan {
        field,
        name: name.to_owned(),
        column: info.number,
        block: info.block,
        reading: Reading::of(rulebook, info),
        number: number::Column::default(),
    }
}

fn place_fields(kind: RecordKind, plans: &[Plan]) -> PlaceFields {
    let at = |column| plans.iter().find(|plan| plan.column == column).map(|plan| plan.field);
    match kind {
        RecordKind::Keluarga => PlaceFields {
            kabupaten_kota: at(column::K_KABUPATEN_KOTA),
            kecamatan: at(column::K_KECAMATAN),
            kelurahan_desa: at(column::K_KELURAHAN_DESA),
            kode_ktp: None,
            bps_desa: at(column::K_KODE_KELURAHAN_DESA),
            bps_kecamatan: at(column::K_KODE_KECAMATAN),
            kode_wilayah: at(column::K_KODE_WILAYAH),
        },
        RecordKind::Individu => PlaceFields {
            kabupaten_kota: at(column::I_KABUPATEN_KOTA_KTP),
            kecamatan: at(column::I_KECAMATAN_KTP),
            kelurahan_desa: at(column::I_KELURAHAN_DESA_KTP),
            kode_ktp: at(column::I_KODE_KELURAHAN_DESA_KTP),
            bps_desa: None,
            bps_kecamatan: None,
            kode_wilayah: at(column::I_KODE_WILAYAH),
        },
    }
}

fn shown(name: &str, field: usize) -> String {
    if name.is_empty() {
        return format!("(tanpa nama, urutan {})", field + 1);
    }
    name.chars().take(NAME_AT_MOST).collect()
}

/// One notice for the hub's columns and one for those that mean nothing.
fn notices(rulebook: &Rulebook, line: u64, hub: &[(Column, &str)], foreign: &[String]) -> Vec<FileFinding> {
    let mut notices = Vec::new();
    if let Some((first, _)) = hub.first() {
        let names: Vec<&str> = hub.iter().map(|(_, name)| *name).collect();
        notices.push(FileFinding::new(rulebook, reason::COLUMN_DROPPED, line).of(*first, &names.join(", ")));
    }
    if !foreign.is_empty() {
        let mut names = foreign[..foreign.len().min(NAMED_AT_MOST)].join(", ");
        if foreign.len() > NAMED_AT_MOST {
            names = format!("{names} dan {} lainnya", foreign.len() - NAMED_AT_MOST);
        }
        let mut notice = FileFinding::new(rulebook, reason::COLUMN_DROPPED, line);
        notice.column_name = Some(names);
        notice.detail = Some(Detail::Foreign);
        notices.push(notice);
    }
    notices
}
