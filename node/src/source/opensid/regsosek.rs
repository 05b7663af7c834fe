//! OpenSID's module for Regsosek 2022-K: `dtks` (public, to 2410) or `dtsen` (2026), with the answers of families and of
//! their members. Facts: localdata.md §2.5.
//!
//! Who somebody is, is asked of OpenSID's own tables: what the module has of that is a copy. It keeps members only while
//! they live here (`status_dasar` 1), so nobody else is read, whether a form was opened since or not. Who has no NIK yet is
//! told by OpenSID's own tables; told here too, it would be two people who wait.

use super::{
    super::database::Schema,
    query::{Query, Tables},
};

/// The layout by which an operator asks for the module.
pub(super) const PRESET: &str = "opensid-regsosek";
/// The version of the questionnaire that is Regsosek 2022-K; the others ask other things under the same names.
const VERSION: &str = "2";

/// The module in one of its generations.
#[derive(Clone, Copy)]
pub(super) struct Module {
    forms: &'static str,
    members: &'static str,
    /// The form, in the table of members.
    form: &'static str,
}

/// The newest generation first.
const MODULES: [Module; 2] = [
    Module { forms: "dtsen", members: "dtsen_anggota", form: "id_dtsen" },
    Module { forms: "dtks", members: "dtks_anggota", form: "id_dtks" },
];

/// Answers of a family, under the names that the columns have; layout `opensid-regsosek` says what they are.
const OF_FAMILY: &[&str] = &[
    "kd_stat_bangunan_tinggal",
    "kd_jenis_lantai_terluas",
    "kd_jenis_dinding",
    "kd_jenis_atap",
    "kd_sumber_air_minum",
    "kd_sumber_penerangan_utama",
    "kd_bahan_bakar_memasak",
    "kd_fasilitas_tempat_bab",
    "kd_jenis_kloset",
    "kd_pembuangan_akhir_tinja",
    "kd_tabung_gas_5_5_kg",
    "kd_lemari_es",
    "kd_ac",
    "kd_pemanas_air",
    "kd_telepon_rumah",
    "kd_televisi",
    "kd_perhiasan_10_gr_emas",
    "kd_komputer_laptop",
    "kd_sepeda_motor",
    "kd_sepeda",
    "kd_mobil",
    "kd_perahu",
    "kd_kapal_perahu_motor",
    "kd_smartphone",
    "kd_lahan",
    "kd_rumah_ditempat_lain",
];
/// Numbers of a family: 0 is one.
const COUNTED_OF_FAMILY: &[&str] =
    &["luas_lantai", "jumlah_sapi", "jumlah_kerbau", "jumlah_kuda", "jumlah_babi", "jumlah_kambing_domba"];
/// Answers of a member.
const OF_MEMBER: &[&str] = &[
    "kd_pendidikan_tertinggi",
    "kd_bekerja_seminggu_lalu",
    "kd_lapangan_usaha_pekerjaan",
    "kd_kedudukan_di_pekerjaan",
    "kd_punya_usaha_sendiri_bersama",
    "kd_lapangan_usaha_dr_usaha",
    "kd_omset_usaha_perbulan",
    "kd_gizi_seimbang",
    "kd_sulit_penglihatan",
    "kd_sulit_pendengaran",
    "kd_sulit_jalan_naiktangga",
    "kd_sulit_gerak_tangan_jari",
    "kd_sulit_belajar_intelektual",
    "kd_sulit_perilaku_emosi",
    "kd_sulit_paham_bicara_kom",
    "kd_sulit_mandiri",
    "kd_sulit_ingat_konsentrasi",
    "kd_sering_sedih_depresi",
    "kd_penyakit_kronis_menahun",
];
/// Numbers of a member: 0 is one.
const COUNTED_OF_MEMBER: &[&str] =
    &["jumlah_usaha_sendiri_bersama", "jumlah_pekerja_dibayar", "jumlah_pekerja_tidak_dibayar"];
/// OpenSID's codes of `pendidikan_sedang` for who studies at a university, and for who is at school or studies beyond SD.
const STUDIES: &str = "BETWEEN 8 AND 13";
const ATTENDS: &str = "BETWEEN 6 AND 13";

impl Module {
    /// Those whose tables are there, the newest first.
    pub(super) fn all(schema: &Schema) -> impl Iterator<Item = Self> {
        let tables = Tables(schema);
        MODULES.into_iter().filter(move |module| {
            ["id", "id_keluarga", "versi_kuisioner"].iter().all(|column| tables.has(module.forms, column))
                && ["id", "id_penduduk", module.form].iter().all(|column| tables.has(module.members, column))
        })
    }

    /// Asks how many forms it holds.
    pub(super) fn filled(self) -> String {
        format!("SELECT CAST(COUNT(*) AS CHAR) FROM {} WHERE versi_kuisioner = '{VERSION}'", self.forms)
    }

    /// The queries for its answers: of members, then of families.
    pub(super) fn answers(self, schema: &Schema) -> [Query; 2] {
        let asked = Asked { tables: Tables(schema), module: self };
        [asked.members(), asked.families()]
    }
}

/// What is asked of a database that has the module.
struct Asked<'a> {
    tables: Tables<'a>,
    module: Module,
}

impl Asked<'_> {
    fn members(&self) -> Query {
        let Self { tables, module } = self;
        let mut columns = vec![("opensid_regsosek_anggota".to_owned(), "a.id".to_owned())];
        columns.push(("no_kk".into(), "k.no_kk".into()));
        let person = ["nama", "nik", "sex", "tanggallahir", "kk_level", "status_kawin"];
        columns.extend(person.iter().filter_map(|column| tables.there("p", "tweb_penduduk", column)));
        columns.extend(tables.village());
        columns.extend(self.day());
        columns.extend(self.codes("a", module.members, OF_MEMBER));
        columns.extend(self.counts("a", module.members, COUNTED_OF_MEMBER));
        columns.extend(self.schooling());
        let from = format!(
            "FROM {members} a JOIN {forms} d ON d.id = a.{form}{one} JOIN tweb_penduduk p ON p.id = a.id_penduduk{two}
             LEFT JOIN tweb_keluarga k ON k.id = p.id_kk{three} {config} WHERE {answered} AND p.status_dasar = 1
             AND p.nik REGEXP '^[1-9][0-9]{{15}}$'",
            members = module.members,
            forms = module.forms,
            form = module.form,
            one = tables.together(("d", module.forms), ("a", module.members)),
            two = tables.together(("p", "tweb_penduduk"), ("a", module.members)),
            three = tables.together(("k", "tweb_keluarga"), ("p", "tweb_penduduk")),
            config = tables.config("p", "tweb_penduduk"),
            answered = self.counts_as_answered(),
        );
        Query::new(module.members, columns, &from)
    }

    /// Head, size and address are those that `opensid` makes of the members: the hub shows one source's block, whole.
    fn families(&self) -> Query {
        let Self { tables, module } = self;
        let mut columns = vec![
            ("opensid_regsosek_keluarga".to_owned(), "d.id".to_owned()),
            ("no_kk".into(), "k.no_kk".into()),
            ("nama_kepala".into(), "m.kepala".into()),
            ("jumlah_anggota".into(), "m.jumlah".into()),
            (
                "alamat".into(),
                format!("COALESCE(NULLIF({}, ''), m.alamat)", tables.pick("k", "tweb_keluarga", "alamat")),
            ),
        ];
        columns.extend(["rw", "rt"].map(|column| (column.to_owned(), format!("w.{column}"))));
        columns.extend(tables.village());
        columns.extend(self.day());
        columns.extend(self.codes("d", module.forms, OF_FAMILY));
        columns.extend(self.counts("d", module.forms, COUNTED_OF_FAMILY));
        columns.extend(self.power());
        let from = format!(
            "FROM {} d JOIN tweb_keluarga k ON k.id = d.id_keluarga{of_form}
             JOIN (SELECT id_kk, {village} AS config_id, COUNT(*) AS jumlah, MIN(CASE WHEN kk_level = 1 THEN nama END) AS kepala,
                MIN(CASE WHEN kk_level = 1 THEN {cluster} END) AS id_cluster,
                MIN(CASE WHEN kk_level = 1 THEN NULLIF({address}, '') END) AS alamat
                FROM tweb_penduduk WHERE status_dasar = 1 GROUP BY id_kk, {village}) m ON m.id_kk = k.id{of_people}
             LEFT JOIN tweb_wil_clusterdesa w ON w.id = COALESCE({own}, NULLIF(m.id_cluster, 0)){of_cluster} {config}
             WHERE {answered} AND COALESCE(k.no_kk, '') <> ''",
            module.forms,
            of_form = tables.together(("k", "tweb_keluarga"), ("d", module.forms)),
            village = tables.pick("tweb_penduduk", "tweb_penduduk", "config_id"),
            of_people = tables.together(("m", "tweb_penduduk"), ("k", "tweb_keluarga")),
            of_cluster = tables.together(("w", "tweb_wil_clusterdesa"), ("k", "tweb_keluarga")),
            cluster = tables.pick("tweb_penduduk", "tweb_penduduk", "id_cluster"),
            address = tables.pick("tweb_penduduk", "tweb_penduduk", "alamat_sekarang"),
            own = tables.cluster("k", "tweb_keluarga"),
            config = tables.config("k", "tweb_keluarga"),
            answered = self.counts_as_answered(),
        );
        Query::new(module.forms, columns, &from)
    }

    /// Codes as they stand; none of the lists has a 0, which a form may leave in a field that nobody filled.
    fn codes(&self, alias: &str, table: &str, columns: &'static [&str]) -> Vec<(String, String)> {
        let there = columns.iter().filter(|column| self.tables.has(table, column));
        there.map(|column| ((*column).to_owned(), format!("NULLIF({alias}.{column}, '0')"))).collect()
    }

    fn counts(&self, alias: &str, table: &str, columns: &'static [&str]) -> Vec<(String, String)> {
        columns.iter().filter_map(|column| self.tables.there(alias, table, column)).collect()
    }

    /// The day of the interview, if the form has one.
    fn day(&self) -> Option<(String, String)> {
        self.tables.there("d", self.module.forms, "tanggal_pendataan")
    }

    /// Forms of this questionnaire, those left out of which question 205 says that nobody answered.
    fn counts_as_answered(&self) -> String {
        let version = format!("d.versi_kuisioner = '{VERSION}'");
        if !self.tables.has(self.module.forms, "kd_hasil_pendataan_keluarga") {
            return version;
        }
        format!("{version} AND COALESCE(d.kd_hasil_pendataan_keluarga, '') NOT IN ('3', '4', '5')")
    }

    /// Class and certificate, unless the module itself wrote them: of who still studies it says that they have finished.
    fn schooling(&self) -> Vec<(String, String)> {
        let table = self.module.members;
        let sedang = self.tables.pick("p", "tweb_penduduk", "pendidikan_sedang_id");
        let columns = [
            ("kd_kelas_tertinggi", format!("a.kd_kelas_tertinggi = '8' AND {sedang} {ATTENDS}")),
            ("kd_ijazah_tertinggi", format!("{sedang} {STUDIES}")),
        ];
        let there = columns.into_iter().filter(|(column, _)| self.tables.has(table, column));
        there
            .map(|(column, doubtful)| {
                let said = format!("NULLIF(a.{column}, '0')");
                (column.to_owned(), format!("CASE WHEN {doubtful} THEN NULL ELSE {said} END"))
            })
            .collect()
    }

    /// The power of the meter, if there is one meter: DTSEN has one column for up to three.
    fn power(&self) -> Option<(String, String)> {
        let table = self.module.forms;
        if !self.tables.has(table, "kd_daya_terpasang") {
            return None;
        }
        let others = ["kd_daya_terpasang2", "kd_daya_terpasang3"];
        let there = others.iter().filter(|column| self.tables.has(table, column));
        let more: Vec<String> = there.map(|column| format!("NULLIF(d.{column}, '0')")).collect();
        let one = "NULLIF(d.kd_daya_terpasang, '0')";
        let power = if more.is_empty() {
            one.to_owned()
        } else {
            format!("CASE WHEN CONCAT_WS('', {}) = '' THEN {one} END", more.join(", "))
        };
        Some(("kd_daya_terpasang".to_owned(), power))
    }
}
