//! Sources of regions, read for real: MariaDB with OpenSID's tables in three generations, servers that stop, hang, change
//! a column or lose rows in the middle. Without MariaDB's programs they are skipped with a notice, unless
//! `DTSEN_TEST_REQUIRE_MARIADB` is set.

mod alarms;
mod emptied;
mod families;
mod incremental;
mod mapping;
mod node;
mod opensid;
mod regsosek;
mod unknown;
