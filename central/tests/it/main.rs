//! Conformance of the store: one suite, on SQLite, on SQLite as a simulation runs it, and on PostgreSQL.

mod edits;
mod erasing;
mod intake;
mod journal;
mod lane;
mod people;
mod place;
mod rebuilding;
mod regions;
mod releases;
mod rulebooks;
mod tables;
mod world;

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
    rulebooks::versions_are_added_and_never_replaced,
    rulebooks::of_two_processes_one_loads_a_version,
    rulebooks::a_replay_judges_each_batch_by_its_own_version,
    rulebooks::what_is_no_rulebook_is_refused_with_its_line,
    tables::a_copy_there_and_back_is_equal,
    tables::descriptions_match_the_database,
    erasing::an_erased_delta_leaves_everything_verifiable,
    erasing::what_cannot_be_erased_is_refused,
    erasing::two_erasures_in_one_body_both_stand,
    erasing::a_rebuild_after_an_erasure_tells_what_it_explains,
    erasing::a_record_made_anew_by_a_replay_is_explained,
    rebuilding::a_rebuild_gives_the_same_registry,
    rebuilding::a_backup_there_and_back_is_the_same_hub,
    rebuilding::a_rebuild_finds_what_verify_cannot,
    edits::verify_finds_every_value_edited_by_hand,
    edits::verify_finds_every_row_taken_away,
    edits::verify_finds_an_erasure_without_a_decision,
}
