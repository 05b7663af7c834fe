//! The columns and blocks that code names. The whole table is data in the rulebook; a test compares the two.

/// Number of a column in the rulebook's table. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column(pub u16);

/// Number of a block: the columns that one owner decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockNo(pub u8);

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Column = Column($number);)*
        /// Every column named in code, with the name that the rulebook must give it.
        pub const NAMED: &[(Column, &str)] = &[$(($name, $text)),*];
    };
}

columns! {
    /// Family: BPS code of the province.
    K_KODE_PROVINSI = 1 "kode_provinsi";
    /// Family: province name.
    K_PROVINSI = 2 "provinsi";
    /// Family: kab/kota name.
    K_KABUPATEN_KOTA = 4 "kabupaten_kota";
    /// Family: BPS code of the kab/kota.
    K_KODE_KABUPATEN_KOTA = 3 "kode_kabupaten_kota";
    /// Family: kecamatan name.
    K_KECAMATAN = 6 "kecamatan";
    /// Family: BPS code of the kecamatan.
    K_KODE_KECAMATAN = 5 "kode_kecamatan";
    /// Family: BPS code of the village.
    K_KODE_KELURAHAN_DESA = 7 "kode_kelurahan_desa";
    /// Family: village name.
    K_KELURAHAN_DESA = 8 "kelurahan_desa";
    /// Family: address.
    K_ALAMAT = 9 "alamat";
    /// Family: No. KK.
    K_NOMOR_KARTU_KELUARGA = 10 "nomor_kartu_keluarga";
    /// Family: number of members.
    K_JUMLAH_ANGGOTA = 11 "jumlah_anggota_keluarga";
    /// Family: name of the head.
    K_NAMA_KEPALA = 12 "nama_kepala_keluarga";
    /// Family: national decile, the hub's alone.
    K_DESIL_NASIONAL = 13 "desil_nasional";
    /// Family: Kemendagri code of the village of domicile, with dots. Ours: DTSEN files carry BPS codes.
    K_KODE_WILAYAH = 61 "kode_wilayah";
    /// Family: RT of domicile.
    K_RT = 62 "rt";
    /// Family: RW of domicile.
    K_RW = 63 "rw";
    /// Person: NIK.
    I_NIK = 101 "nomor_induk_kependudukan";
    /// Person: No. KK.
    I_NOMOR_KARTU_KELUARGA = 102 "nomor_kartu_keluarga";
    /// Person: name.
    I_NAMA = 103 "nama";
    /// Person: birth date.
    I_TANGGAL_LAHIR = 104 "tanggal_lahir";
    /// Person: sex.
    I_JENIS_KELAMIN = 105 "jenis_kelamin";
    /// Person: relation to the head of the family.
    I_STATUS_HUBUNGAN = 106 "status_hubungan_keluarga";
    /// Person: marriage.
    I_STATUS_KAWIN = 109 "status_kawin";
    /// Person: participation in education.
    I_PARTISIPASI_SEKOLAH = 110 "partisipasi_sekolah";
    /// Person: highest certificate.
    I_IJAZAH = 113 "ijazah_tertinggi_yang_dimiliki";
    /// Person: Kemendagri code of the province of the KTP address.
    I_KODE_PROVINSI_KTP = 135 "kode_provinsi_ktp";
    /// Person: Kemendagri code of the kab/kota of the KTP address.
    I_KODE_KABUPATEN_KOTA_KTP = 137 "kode_kabupaten_kota_ktp";
    /// Person: Kemendagri code of the kecamatan of the KTP address.
    I_KODE_KECAMATAN_KTP = 139 "kode_kecamatan_ktp";
    /// Person: province name of the KTP address.
    I_PROVINSI_KTP = 136 "provinsi_ktp";
    /// Person: kab/kota name of the KTP address.
    I_KABUPATEN_KOTA_KTP = 138 "kabupaten_kota_ktp";
    /// Person: kecamatan name of the KTP address.
    I_KECAMATAN_KTP = 140 "kecamatan_ktp";
    /// Person: Kemendagri code of the village of the KTP address.
    I_KODE_KELURAHAN_DESA_KTP = 141 "kode_kelurahan_desa_ktp";
    /// Person: village name of the KTP address.
    I_KELURAHAN_DESA_KTP = 142 "kelurahan_desa_ktp";
    /// Person: RT of the KTP address.
    I_RT_KTP = 143 "rt_ktp";
    /// Person: RW of the KTP address.
    I_RW_KTP = 144 "rw_ktp";
    /// Person: dusun of the KTP address.
    I_DUSUN_KTP = 145 "dusun_ktp";
    /// Person: KTP address.
    I_ALAMAT_KTP = 146 "alamat_ktp";
    /// Person: occupation by the KTP.
    I_PEKERJAAN_KTP = 147 "pekerjaan_ktp";
    /// Person: highest education by the KK.
    I_PENDIDIKAN_KTP = 148 "pendidikan_akhir_ktp";
    /// Person: Kemendagri code of the village of domicile, with dots.
    I_KODE_WILAYAH = 161 "kode_wilayah";
    /// Person: presence, code list of Regsosek 404.
    I_KEBERADAAN = 162 "keberadaan_anggota";
}

macro_rules! blocks {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        $($(#[$doc])* pub const $name: BlockNo = BlockNo($number);)*
        /// Every block named in code, with the name that the rulebook must give it.
        pub const NAMED_BLOCKS: &[(BlockNo, &str)] = &[$(($name, $text)),*];
    };
}

blocks! {
    /// Family: No. KK, head, size.
    K_IDENTITAS = 1 "identitas_keluarga";
    /// Family: where it lives.
    K_DOMISILI = 2 "domisili_keluarga";
    /// Family: deciles, written by the hub alone.
    K_PERINGKAT = 8 "peringkat";
    /// Person: NIK, No. KK, name, birth, sex, relation, marriage.
    I_IDENTITAS = 21 "identitas";
    /// Person: where they live.
    I_DOMISILI = 23 "domisili";
    /// Person: alive, dead, moved, not found.
    I_KEBERADAAN_BLOK = 31 "keberadaan";
}
