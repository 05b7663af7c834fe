//! The header rows of the DTSEN v3 file pair, and rows that carry one value per column.

use std::{borrow::Cow, sync::Arc};

/// Columns of `keluarga_dtsen_v3_<kab>.csv`, in file order.
pub const KELUARGA: [&str; 52] = [
    "kode_provinsi",
    "provinsi",
    "kode_kabupaten_kota",
    "kabupaten_kota",
    "kode_kecamatan",
    "kecamatan",
    "kode_kelurahan_desa",
    "kelurahan_desa",
    "alamat",
    "nomor_kartu_keluarga",
    "jumlah_anggota_keluarga",
    "nama_kepala_keluarga",
    "desil_nasional",
    "desil_provinsi",
    "desil_kabupaten_kota",
    "pbi_nas",
    "pbi_pemda",
    "id_pelanggan_pln",
    "status_kepemilikan_rumah",
    "jenis_lantai_terluas",
    "luas_lantai",
    "jenis_dinding_terluas",
    "jenis_atap_terluas",
    "sumber_air_minum_utama",
    "sumber_penerangan_utama",
    "daya_terpasang",
    "bahan_bakar_utama_memasak",
    "fasilitas_bab",
    "jenis_kloset",
    "pembuangan_akhir_tinja",
    "kepemilikan_aset",
    "aset_bergerak_tabung_gas",
    "aset_bergerak_lemari_es",
    "aset_bergerak_ac",
    "aset_bergerak_pemanas_air",
    "aset_bergerak_telepon_rumah",
    "aset_bergerak_tv_datar",
    "aset_bergerak_emas_perhiasan",
    "aset_bergerak_komputer_laptop_tablet",
    "aset_bergerak_sepeda_motor",
    "aset_bergerak_sepeda",
    "aset_bergerak_mobil",
    "aset_bergerak_perahu",
    "aset_bergerak_kapal_perahu_motor",
    "aset_bergerak_smartphone",
    "aset_tidak_bergerak_lahan_lainnya",
    "aset_tidak_bergerak_rumah_lainnya",
    "jumlah_ternak_sapi",
    "jumlah_ternak_kerbau",
    "jumlah_ternak_kuda",
    "jumlah_ternak_babi",
    "jumlah_ternak_kambing_domba",
];

/// Columns of `anggota_keluarga_dtsen_v3_<kab>.csv`, in file order.
pub const ANGGOTA: [&str; 48] = [
    "nomor_induk_kependudukan",
    "nomor_kartu_keluarga",
    "nama",
    "tanggal_lahir",
    "jenis_kelamin",
    "status_hubungan_keluarga",
    "pbi_nas",
    "pbi_pemda",
    "status_kawin",
    "partisipasi_sekolah",
    "jenjang_tertinggi_yang_diduduki",
    "kelas_tertinggi_yang_diduduki",
    "ijazah_tertinggi_yang_dimiliki",
    "status_bekerja",
    "lapangan_usaha_dari_pekerjaan_utama",
    "status_dalam_pekerjaan_utama",
    "kepemilikan_usaha",
    "jumlah_usaha",
    "lapangan_usaha_dari_usaha_utama",
    "jumlah_pekerja_yang_dibayar_dari_usaha_utama",
    "jumlah_pekerja_yang_tidak_dibayar_dari_usaha_utama",
    "omzet_usaha_utama",
    "kondisi_gizi",
    "penglihatan",
    "pendengaran",
    "berjalan_atau_naik_tangga",
    "menggunakan_tangan_jari",
    "belajar_kemampuan_intelektual",
    "pengendalian_perilaku",
    "berbicara_komunikasi",
    "mengurus_diri",
    "mengingat_berkonsentrasi",
    "kesedihan_depresi",
    "penyakit_kronis",
    "kode_provinsi_ktp",
    "provinsi_ktp",
    "kode_kabupaten_kota_ktp",
    "kabupaten_kota_ktp",
    "kode_kecamatan_ktp",
    "kecamatan_ktp",
    "kode_kelurahan_desa_ktp",
    "kelurahan_desa_ktp",
    "rt_ktp",
    "rw_ktp",
    "dusun_ktp",
    "alamat_ktp",
    "pekerjaan_ktp",
    "pendidikan_akhir_ktp",
];

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Not asked or not known: an empty field.
    Empty,
    /// A code, count or area code: bare digits.
    Number(u64),
    /// Fixed text, quoted.
    Word(&'static str),
    /// Text, quoted.
    Text(Arc<str>),
    /// Text that is no UTF-8, quoted as it is.
    Bytes(Vec<u8>),
    /// Text that a spreadsheet took for a number: written without quotes.
    Bare(String),
}

impl Value {
    /// Text of its own.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A code, or an empty field.
    pub fn code(code: impl Into<Option<u8>>) -> Self {
        code.into().map_or(Self::Empty, |code| Self::Number(code.into()))
    }

    /// The field as a reader sees it, bad bytes replaced.
    pub fn show(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Word(text) => Cow::Borrowed(text),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
            Self::Bare(text) => Cow::Borrowed(text),
        }
    }
}

/// One line of a file: as many values as its header has columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    columns: &'static [&'static str],
    values: Vec<Value>,
}

impl Row {
    pub(super) fn new(columns: &'static [&'static str], values: Vec<Value>) -> Self {
        assert_eq!(columns.len(), values.len(), "one value per column");
        Self { columns, values }
    }

    fn at(&self, column: &str) -> usize {
        self.columns.iter().position(|name| *name == column).expect("a column of this file")
    }

    /// The value of a column; panics at a name that this file does not have.
    pub fn get(&self, column: &str) -> &Value {
        &self.values[self.at(column)]
    }

    /// The value of a column as text.
    pub fn text(&self, column: &str) -> String {
        self.get(column).show().into_owned()
    }

    /// The number in a column, if there is one.
    pub fn number(&self, column: &str) -> Option<u64> {
        match self.get(column) {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Replaces the value of a column.
    pub fn set(&mut self, column: &str, value: Value) {
        let at = self.at(column);
        self.values[at] = value;
    }

    /// Whether the column at this place is empty for some, so that pandas reads its numbers as floats.
    pub(super) fn may_be_empty(&self, at: usize) -> bool {
        if self.columns.len() == KELUARGA.len() { matches!(at, 25 | 28 | 29) } else { (9..=32).contains(&at) }
    }

    /// The values in file order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}
