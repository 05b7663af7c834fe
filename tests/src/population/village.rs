//! Where the families live: villages by their Kemendagri codes, and what the files say about them.

use std::{collections::BTreeMap, sync::Arc};

use dtsen_proto::region::Region;

/// A village with the names above it, as Kemendagri writes them ("Kota Mataram").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VillageName {
    /// Kemendagri code with dots: `52.71.01.1001`.
    pub code: String,
    /// Village (desa or kelurahan).
    pub name: String,
    /// Kecamatan.
    pub kecamatan: String,
    /// Kab/kota with its kind.
    pub kabupaten_kota: String,
    /// Province.
    pub provinsi: String,
}

/// The villages of a region, from the built-in list of areas.
pub fn villages(region: Region) -> Vec<VillageName> {
    villages_of(region, include_str!("../../../proto/data/wilayah/wilayah.tsv"))
}

/// The villages of a region out of `code<TAB>name` lines that hold all four levels, in order of code.
///
/// Lines without a tab and villages without a name above them are left out.
pub fn villages_of(region: Region, wilayah_tsv: &str) -> Vec<VillageName> {
    let names: BTreeMap<&str, &str> = wilayah_tsv
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(code, name)| (code, name.split('\t').next().unwrap_or(name).trim()))
        .collect();
    let own = |code: &&str| code.len() == 13 && region.contains(code);
    names
        .keys()
        .copied()
        .filter(own)
        .filter_map(|code| {
            let name = |end: usize| names.get(&code[..end]).map(|name| (*name).to_owned());
            Some(VillageName {
                code: code.to_owned(),
                name: name(13)?,
                kecamatan: name(8)?,
                kabupaten_kota: name(5)?,
                provinsi: name(2)?,
            })
        })
        .collect()
}

/// A village ready to be written: upper case, codes without dots.
#[derive(Debug)]
pub(super) struct Place {
    /// Kemendagri: province, kab/kota, kecamatan, village.
    pub(super) dagri: [u64; 4],
    /// Codes that look like BPS codes and are not: no licensed bridge exists.
    pub(super) like_bps: [u64; 4],
    /// Province, kab/kota, kecamatan, village.
    pub(super) names: [Arc<str>; 4],
    /// Which of the region's kecamatan, from 0.
    pub(super) kecamatan: usize,
    /// Which of the villages of its kecamatan, from 0.
    pub(super) ordinal: u64,
}

/// A kecamatan as an issuer of numbers.
#[derive(Debug)]
pub(super) struct Kecamatan {
    /// Six digits.
    pub(super) prefix: u64,
    /// How many villages it has.
    pub(super) villages: u64,
}

/// Reads the villages into places and kecamatan.
pub(super) fn places(villages: &[VillageName]) -> (Vec<Place>, Vec<Kecamatan>) {
    let mut kecamatan: Vec<Kecamatan> = Vec::new();
    let mut places = Vec::with_capacity(villages.len());
    for village in villages {
        let digits: String = village.code.split('.').collect();
        assert_eq!(digits.len(), 10, "a village code such as 52.71.01.1001, not {}", village.code);
        let number = |end: usize| digits[..end].parse::<u64>().expect("digits of a village code");
        let prefix = number(6);
        let at = kecamatan.iter().position(|k| k.prefix == prefix).unwrap_or(kecamatan.len());
        if at == kecamatan.len() {
            kecamatan.push(Kecamatan { prefix, villages: 0 });
        }
        let ordinal = kecamatan[at].villages;
        kecamatan[at].villages += 1;
        let bps_kecamatan = number(4) * 1000 + (prefix % 100) * 10;
        let upper = |name: &str| Arc::from(name.to_uppercase());
        places.push(Place {
            dagri: [number(2), number(4), prefix, number(10)],
            like_bps: [number(2), number(4), bps_kecamatan, bps_kecamatan * 1000 + ordinal + 1],
            names: [
                upper(&village.provinsi),
                upper(&village.kabupaten_kota),
                upper(&village.kecamatan),
                upper(&village.name),
            ],
            kecamatan: at,
            ordinal,
        });
    }
    (places, kecamatan)
}
