//! Where a row lives.

use std::borrow::Cow;

use dtsen_proto::{
    column::{self, Column},
    record::RecordKind,
    rulebook::reason,
};

use super::{Reading, is_nothing};
use crate::{
    cell::Cell,
    clean::{address, words::folded},
    layout::heading::Role,
    place::{Named, Places, Stated, faults},
};

/// Kemendagri's codes of province, kab/kota and kecamatan in a person's record.
const KTP_CODES: [Column; 3] =
    [column::I_KODE_PROVINSI_KTP, column::I_KODE_KABUPATEN_KOTA_KTP, column::I_KODE_KECAMATAN_KTP];
/// BPS's in a family's.
const FAMILY_CODES: [Column; 3] =
    [column::K_KODE_PROVINSI, column::K_KODE_KABUPATEN_KOTA, column::K_KODE_KECAMATAN];
/// Digits of the four parts of Kemendagri's code.
const PART_WIDTHS: [usize; 4] = [2, 2, 2, 4];

impl Reading<'_> {
    pub(super) fn address(&mut self, places: &mut Places) {
        let whole = self.place(Role::Alamat).unwrap_or_default();
        let inside = address::read(&whole);
        let (rt, rw) = self.rt_rw(&inside);
        // What the row's own address says plainly comes before what was said above it.
        let own = |role| !is_nothing(&self.cell(role).text());
        let plain = inside.plain_dusun().filter(|_| own(Role::Alamat) && !own(Role::Dusun));
        let plain = plain.filter(|_| self.context.get(Role::Dusun).is_some()).map(str::to_owned);
        let dusun = plain
            .or_else(|| self.place(Role::Dusun))
            .unwrap_or_else(|| inside.dusun(&self.text(Role::Desa)).unwrap_or_default().to_owned());
        self.village(places);
        let names =
            [Role::Provinsi, Role::Kabupaten, Role::Kecamatan, Role::Desa].map(|role| self.text(role));
        let out = &mut self.out;
        let columns = match out.kind {
            RecordKind::Individu => {
                out.say(column::I_ALAMAT_KTP, whole);
                out.say(column::I_DUSUN_KTP, dusun);
                out.say(column::I_RT_KTP, rt.clone().unwrap_or_default());
                out.say(column::I_RW_KTP, rw.clone().unwrap_or_default());
                [
                    column::I_PROVINSI_KTP,
                    column::I_KABUPATEN_KOTA_KTP,
                    column::I_KECAMATAN_KTP,
                    column::I_KELURAHAN_DESA_KTP,
                ]
            }
            RecordKind::Keluarga => {
                out.say(column::K_ALAMAT, whole);
                out.say(column::K_RT, rt.clone().unwrap_or_default());
                out.say(column::K_RW, rw.clone().unwrap_or_default());
                [column::K_PROVINSI, column::K_KABUPATEN_KOTA, column::K_KECAMATAN, column::K_KELURAHAN_DESA]
            }
        };
        for (column, name) in columns.into_iter().zip(names) {
            out.say(column, name);
        }
        (out.rt, out.rw) = (rt, rw);
    }

    /// An address or the name of a dusun; of zeros it is none, as OpenSID has them.
    fn place(&self, role: Role) -> Option<String> {
        Some(self.text(role)).filter(|text| text.chars().any(|c| c.is_alphanumeric() && c != '0'))
    }

    /// What a cell of the row itself says.
    fn own(&self, role: Role) -> Option<Cow<'_, str>> {
        Some(self.cell(role).text()).filter(|text| !is_nothing(text))
    }

    /// From cells of their own, from one cell with both, out of the address, or as it was said above the row.
    fn rt_rw(&mut self, inside: &address::Address) -> (Option<String>, Option<String>) {
        let (mut rt, mut rw) = (None, None);
        // "3/5" that a spreadsheet took for a day says nothing for certain.
        let numbers = |role| self.own(role).filter(|_| !matches!(self.cell(role), Cell::Day(_)));
        for (role, turned) in [(Role::RtRw, false), (Role::RwRt, true)] {
            if let Some(text) = numbers(role) {
                let (first, second) = address::both(&text);
                let labelled = address::labelled(&text).is_some();
                (rt, rw) = if turned && !labelled { (second, first) } else { (first, second) };
            }
        }
        if let Some(text) = numbers(Role::Rt) {
            if text.contains('/') && self.own(Role::Rw).is_none() {
                (rt, rw) = address::both(&text);
            } else {
                rt = address::labelled(&text).map_or_else(|| address::number(&text), |named| named.0).or(rt);
            }
        }
        if let Some(text) = numbers(Role::Rw) {
            rw = address::labelled(&text).map_or_else(|| address::number(&text), |named| named.1).or(rw);
        }
        let columns = match self.out.kind {
            RecordKind::Individu => (column::I_RT_KTP, column::I_RW_KTP),
            RecordKind::Keluarga => (column::K_RT, column::K_RW),
        };
        for (role, column, read) in [
            (Role::Rt, columns.0, rt.is_some()),
            (Role::Rw, columns.1, rw.is_some()),
            (Role::RtRw, columns.0, rt.is_some() || rw.is_some()),
            (Role::RwRt, columns.0, rt.is_some() || rw.is_some()),
        ] {
            if !read && self.own(role).is_some_and(|text| address::is_said(&text)) {
                self.tell(reason::NUMBER_FORMAT, column, role);
            }
        }
        let constant = |role: Role| self.plan.constants.get(&role).map(String::as_str);
        let said = |role: Role| self.context.get(role).or_else(|| constant(role)).unwrap_or_default();
        let above = address::both(said(Role::RtRw));
        let above = (
            above.0.or_else(|| address::number(said(Role::Rt))),
            above.1.or_else(|| address::number(said(Role::Rw))),
        );
        // An empty cell of its own column says that there is none: nothing else is asked.
        let has = |role| self.plan.roles.contains_key(&role);
        let both = has(Role::RtRw) || has(Role::RwRt);
        let above =
            (above.0.filter(|_| !has(Role::Rt) && !both), above.1.filter(|_| !has(Role::Rw) && !both));
        let inside = (inside.rt.clone(), inside.rw.clone());
        // An address of the row's own says more than the lines above; one that was said there says less than a label there.
        let own_address = !is_nothing(&self.cell(Role::Alamat).text());
        let (first, second) = if own_address { (inside, above) } else { (above, inside) };
        (rt.or(first.0).or(second.0), rw.or(first.1).or(second.1))
    }

    /// Kemendagri's code out of its four columns, as far as they are filled: 52, 1, 14, 2006.
    fn composed(&self) -> String {
        let parts = self.plan.parts.into_iter().flatten().zip(PART_WIDTHS);
        let padded = parts.map_while(|(at, width)| {
            let text = self.row.cell(at).text();
            let part = text.trim_end_matches(".0");
            let fits = part.len() <= width && part.bytes().all(|b| b.is_ascii_digit());
            (fits && part.bytes().any(|b| b != b'0')).then(|| format!("{part:0>width$}"))
        });
        padded.collect()
    }

    fn village(&mut self, places: &mut Places) {
        let text = |role| self.text(role);
        let code = Some(text(Role::KodeDesa)).filter(|code| !code.is_empty());
        let code = code.unwrap_or_else(|| self.composed());
        let bps = self.plan.bps.map(|at| self.row.cell(at).text().into_owned()).unwrap_or_default();
        let [provinsi, kabupaten, kecamatan, desa] =
            [Role::Provinsi, Role::Kabupaten, Role::Kecamatan, Role::Desa].map(text);
        let (of_person, column) = match self.out.kind {
            RecordKind::Individu => (true, column::I_KODE_WILAYAH),
            RecordKind::Keluarga => (false, column::K_KODE_WILAYAH),
        };
        let codes = if of_person { KTP_CODES } else { FAMILY_CODES }.map(|column| self.own_code(column));
        let beside = self.names_ktp() || !of_person;
        let named = Named {
            code: code.trim_end_matches(".0"),
            bps: bps.trim_end_matches(".0"),
            provinsi: &provinsi,
            kabupaten: &kabupaten,
            kecamatan: &kecamatan,
            desa: &desa,
            above: if beside { codes.each_ref().map(String::as_str) } else { [""; 3] },
        };
        let found = places.find(&named);
        if of_person {
            let [a, b, c] = codes.each_ref().map(String::as_str);
            let labels = if beside { [&*provinsi, &*kabupaten, &*kecamatan, &*desa] } else { [""; 4] };
            let codes = [a, b, c, if beside { named.code } else { "" }];
            let stated = std::array::from_fn(|at| Stated { code: codes[at], name: labels[at] });
            let own = found.as_ref().ok().and_then(Option::as_deref).filter(|_| beside);
            self.doubt(faults(&stated, own, places.wilayah()));
        }
        match found {
            // There is a column for it, and nothing says where.
            Ok(None) if self.plan.roles.contains_key(&Role::KodeDesa) => {
                self.tell(reason::VILLAGE_UNRESOLVED, column, Role::KodeDesa);
            }
            Ok(village) => {
                if let Some(code) = &village {
                    self.out.say(column, code.as_ref());
                }
                self.out.village = village;
            }
            Err(code) => self.tell(code, column, Role::Desa),
        }
    }

    /// A code of an area as its cell has it; empty if that says nothing.
    fn own_code(&self, column: Column) -> String {
        let direct = self.plan.direct.iter().find(|direct| direct.column == column);
        let text = direct.map(|direct| self.row.cell(direct.at).text()).unwrap_or_default();
        let code = text.trim_end_matches(".0");
        if is_nothing(code) || matches!(code, "0" | "-1") { String::new() } else { code.to_owned() }
    }

    /// Whether the columns of places are the KTP's, as far as their headings tell: people need not live there.
    fn names_ktp(&self) -> bool {
        let village = [Role::KodeDesa, Role::Desa, Role::Kecamatan, Role::Kabupaten];
        let names = village.iter().filter_map(|role| self.plan.name(*role));
        names.into_iter().all(|name| folded(name).ends_with("ktp"))
    }

    /// Takes out the codes of areas that may be BPS's, or another area's.
    fn doubt(&mut self, faults: [Option<&'static str>; 4]) {
        for (column, fault) in KTP_CODES.into_iter().zip(faults) {
            let Some(code) = fault else { continue };
            self.out.values.remove(&column);
            let at = self.plan.direct.iter().find(|direct| direct.column == column).map(|direct| direct.at);
            let name = at.and_then(|at| self.plan.names.get(at)).map(String::as_str);
            self.out.tell(code, Some(column), name);
        }
    }
}
