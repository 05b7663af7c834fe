//! Where a row lives.

use std::borrow::Cow;

use dtsen_proto::{column, record::RecordKind, rulebook::reason};

use super::{Reading, is_nothing};
use crate::{
    cell::Cell,
    clean::address,
    layout::heading::Role,
    place::{Named, Places},
};

impl Reading<'_> {
    pub(super) fn address(&mut self, places: &mut Places) {
        let whole = self.place(Role::Alamat).unwrap_or_default();
        let inside = address::read(&whole);
        let (rt, rw) = self.rt_rw(&inside);
        let dusun = self.place(Role::Dusun).or(inside.dusun).unwrap_or_default();
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
        let said = |role: Role| self.context.get(role).unwrap_or_default();
        let above = address::both(said(Role::RtRw));
        let above = (
            above.0.or_else(|| address::number(said(Role::Rt))),
            above.1.or_else(|| address::number(said(Role::Rw))),
        );
        // An empty cell of its own column says that there is none: nothing else is asked.
        let has = |role| self.plan.roles.contains_key(&role);
        let both = has(Role::RtRw) || has(Role::RwRt);
        let rt = rt.or_else(|| inside.rt.clone()).or(if has(Role::Rt) || both { None } else { above.0 });
        let rw = rw.or_else(|| inside.rw.clone()).or(if has(Role::Rw) || both { None } else { above.1 });
        (rt, rw)
    }

    fn village(&mut self, places: &mut Places) {
        let text = |role| self.text(role);
        let code = text(Role::KodeDesa);
        let bps = self.plan.bps.map(|at| self.row.cell(at).text().into_owned()).unwrap_or_default();
        let [provinsi, kabupaten, kecamatan, desa] =
            [Role::Provinsi, Role::Kabupaten, Role::Kecamatan, Role::Desa].map(text);
        let named = Named {
            code: code.trim_end_matches(".0"),
            bps: bps.trim_end_matches(".0"),
            provinsi: &provinsi,
            kabupaten: &kabupaten,
            kecamatan: &kecamatan,
            desa: &desa,
        };
        let column = match self.out.kind {
            RecordKind::Individu => column::I_KODE_WILAYAH,
            RecordKind::Keluarga => column::K_KODE_WILAYAH,
        };
        match places.find(&named) {
            Ok(village) => {
                if let Some(code) = &village {
                    self.out.say(column, code.as_ref());
                }
                self.out.village = village;
            }
            Err(code) => self.tell(code, column, Role::Desa),
        }
    }
}
