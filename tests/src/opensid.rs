//! Villages of invented people in OpenSID's tables, as large as wanted.

const TABLES: &str = include_str!("../sources/opensid/g2024.sql");
/// Three in a family: every NIK another birth date or serial, from 9001 up.
const PEOPLE: &str = "
    INSERT INTO config (id, nama_desa, kode_desa, nama_kecamatan, kode_kecamatan, nama_kabupaten, kode_kabupaten, nama_propinsi, kode_propinsi)
        VALUES (1, 'Senggigi', '5201142006', 'Batulayar', '520114', 'Lombok Barat', '5201', 'Nusa Tenggara Barat', '52');
    INSERT INTO tweb_wil_clusterdesa (id, config_id, rt, rw, dusun) SELECT seq, 1, seq, 1 + seq DIV 10, CONCAT('DUSUN ', seq) FROM seq_1_to_50;
    INSERT INTO tweb_keluarga (id, config_id, no_kk, nik_kepala, alamat, id_cluster)
        SELECT seq, 1, CONCAT('520114', LPAD(1 + seq MOD 28, 2, '0'), LPAD(1 + (seq DIV 28) MOD 12, 2, '0'),
            LPAD(5 + (seq DIV 336) MOD 15, 2, '0'), 9001 + seq DIV 5040), 3 * seq, CONCAT('JL CONTOH ', seq), 1 + seq MOD 50 FROM seq_0_to_$FAMILIES;
    INSERT INTO tweb_penduduk (id, config_id, nama, nik, id_kk, kk_level, sex, tempatlahir, tanggallahir, pendidikan_kk_id,
            pendidikan_sedang_id, pekerjaan_id, status_kawin, id_cluster, status_dasar)
        SELECT seq, 1, CONCAT('WARGA ', CHAR(65 + seq MOD 26), ' NOMOR ', CHAR(65 + (seq DIV 26) MOD 26)),
            CONCAT('520114', LPAD(1 + seq MOD 28 + 40 * (seq MOD 2), 2, '0'), LPAD(1 + (seq DIV 28) MOD 12, 2, '0'),
                LPAD((50 + (seq DIV 336) MOD 60) MOD 100, 2, '0'), 9001 + seq DIV 20160),
            seq DIV 3, ELT(1 + seq MOD 3, 1, 3, 4), 1 + seq MOD 2, 'MATARAM',
            CONCAT(1950 + (seq DIV 336) MOD 60, '-', 1 + (seq DIV 28) MOD 12, '-', 1 + seq MOD 28), 5, 18, 9, ELT(1 + seq MOD 3, 2, 2, 1),
            1 + (seq DIV 3) MOD 50, 1 FROM seq_3_to_$PEOPLE";

/// Statements that make OpenSID's tables of 2024 and so many people in them, with ids from 3 on.
pub fn village(people: u64) -> String {
    let last = people + 2;
    let people = PEOPLE.replace("$FAMILIES", &(last / 3).to_string()).replace("$PEOPLE", &last.to_string());
    format!("{TABLES}; {people}")
}
