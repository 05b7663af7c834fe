//! Conformance of the store: one suite, on SQLite, on SQLite as a simulation runs it, and on PostgreSQL.

mod intake;
mod journal;
mod lane;
mod place;
mod regions;
mod releases;
mod tables;

macro_rules! suite {
    ($($module:ident::$name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::place::on_sqlite(crate::$module::$name).await;
            })*
        }
        mod in_simulation {
            $(#[tokio::test]
            async fn $name() {
                crate::place::in_simulation(crate::$module::$name).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::place::on_postgres(stringify!($name), crate::$module::$name).await;
            })*
        }
    };
}

suite! {
    regions::settings_are_replaced,
    regions::a_region_changes_once_per_version,
    regions::keys_and_sessions_follow_the_region,
    regions::decisions_have_dense_numbers_whoever_writes,
    regions::a_lease_has_one_holder,
    intake::custody_continues_the_head_once,
    intake::two_processes_cannot_take_two_batches_under_one_number,
    intake::an_epoch_starts_from_the_head_before,
    intake::pieces_join_in_order,
    intake::batches_are_listed_and_counted,
    lane::waiting_is_fair_and_in_chain_order,
    lane::a_step_writes_everything_and_the_next_reads_it,
    lane::a_step_that_fails_writes_nothing,
    lane::a_lost_lease_writes_nothing,
    lane::steps_of_two_processes_do_not_overlap,
    lane::a_step_that_stands_still_holds_nobody_up,
    lane::order_is_that_of_bytes,
    journal::the_log_grows_and_proves_itself,
    journal::a_lost_lease_signs_nothing,
    journal::a_generation_begins_with_its_statement,
    releases::a_release_sees_what_moved,
    releases::publishing_clears_what_nobody_needs,
    tables::a_copy_there_and_back_is_equal,
    tables::descriptions_match_the_database,
}
