//! Where a row lives.

use dtsen_proto::{column, record::RecordKind};

use super::{Reading, is_nothing};
use crate::{
    cell::Cell,
    clean::address,
    layout::heading::Role,
    place::{Named, Places},
};

impl Reading<'_> {
    pub(super) fn address(&mut self, places: &mut Places) {
        let whole = self.text(Role::Alamat);
        let inside = address::read(&whole);
        let (rt, rw) = self.rt_rw(&inside);
        let dusun = self.text(Role::Dusun);
        let dusun = Some(dusun).filter(|dusun| !dusun.is_empty()).or(inside.dusun).unwrap_or_default();
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

    /// From cells of their own, from one cell with both, out of the address, or as it was said above the row.
    fn rt_rw(&self, inside: &address::Address) -> (Option<String>, Option<String>) {
        let (mut rt, mut rw) = (None, None);
        let own = |role| Some(self.cell(role).text()).filter(|text| !is_nothing(text));
        for (role, turned) in [(Role::RtRw, false), (Role::RwRt, true)] {
            // "3/5" that a spreadsheet took for a day says nothing for certain.
            if matches!(self.cell(role), Cell::Text(_) | Cell::Whole(_) | Cell::Number(_))
                && let Some(text) = own(role)
            {
                let (first, second) = address::both(&text);
                let labelled = text.chars().any(char::is_alphabetic);
                (rt, rw) = if turned && !labelled { (second, first) } else { (first, second) };
            }
        }
        if let Some(text) = own(Role::Rt).filter(|_| !matches!(self.cell(Role::Rt), Cell::Day(_))) {
            if text.contains('/') && own(Role::Rw).is_none() {
                (rt, rw) = address::both(&text);
            } else {
                rt = address::labelled(&text).0.or_else(|| address::number(&text)).or(rt);
            }
        }
        if let Some(text) = own(Role::Rw).filter(|_| !matches!(self.cell(Role::Rw), Cell::Day(_))) {
            rw = address::labelled(&text).1.or_else(|| address::number(&text)).or(rw);
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
