//! Numbers and fixed-length values between rows and the application's types.

use dtsen_proto::{
    id::{BatchId, Position, RecordId},
    merkle::Hash,
    pb,
    record::{Action, RecordKind},
    region::Region,
};

use super::{Result, StoreError};
use crate::registry::decide::Judgement;

/// A count as both databases store it.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).expect("a count below 2^63")
}

/// Reads the columns of a table.
#[derive(Clone, Copy)]
pub(super) struct Of(pub(super) &'static str);

impl Of {
    pub(super) fn wrong(self, column: &'static str) -> StoreError {
        StoreError::Inconsistent { table: self.0, column }
    }

    pub(super) fn number<T: TryFrom<i64>>(self, column: &'static str, value: i64) -> Result<T> {
        T::try_from(value).map_err(|_| self.wrong(column))
    }

    pub(super) fn region(self, value: i64) -> Result<Region> {
        Region::from_number(self.number("region", value)?).ok_or(self.wrong("region"))
    }

    pub(super) fn position(self, region: i64, epoch: i64, sequence: i64) -> Result<Position> {
        Ok(Position {
            region: self.region(region)?,
            epoch: self.number("epoch", epoch)?,
            sequence: self.number("sequence", sequence)?,
        })
    }

    pub(super) fn hash(self, column: &'static str, value: &[u8]) -> Result<Hash> {
        value.try_into().map_err(|_| self.wrong(column))
    }

    pub(super) fn batch_id(self, column: &'static str, value: &[u8]) -> Result<BatchId> {
        BatchId::from_slice(value).ok_or(self.wrong(column))
    }

    pub(super) fn record_id(self, value: &[u8]) -> Result<RecordId> {
        RecordId::from_slice(value).ok_or(self.wrong("id"))
    }

    pub(super) fn kind(self, value: i64) -> Result<RecordKind> {
        RecordKind::from_wire(self.number("kind", value)?).ok_or(self.wrong("kind"))
    }

    pub(super) fn action(self, value: i64) -> Result<Action> {
        match pb::Action::try_from(self.number::<i32>("action", value)?) {
            Ok(pb::Action::Upsert) => Ok(Action::Upsert),
            Ok(pb::Action::Gone) => Ok(Action::Gone),
            Ok(pb::Action::MoveOut) => Ok(Action::MoveOut),
            Ok(pb::Action::MoveIn) => Ok(Action::MoveIn),
            Ok(pb::Action::Unspecified) | Err(_) => Err(self.wrong("action")),
        }
    }

    pub(super) fn judgement(self, value: i64) -> Result<Judgement> {
        match pb::Judgement::try_from(self.number::<i32>("judgement", value)?) {
            Ok(pb::Judgement::Accepted) => Ok(Judgement::Accepted),
            Ok(pb::Judgement::Warned) => Ok(Judgement::Warned),
            Ok(pb::Judgement::Held) => Ok(Judgement::Held),
            Ok(pb::Judgement::Rejected) => Ok(Judgement::Rejected),
            Ok(pb::Judgement::Unspecified) | Err(_) => Err(self.wrong("judgement")),
        }
    }
}

/// Number of a kind.
pub(super) fn kind_number(kind: RecordKind) -> i64 {
    i32::from(kind.to_wire()).into()
}

/// Number of an action.
pub(super) fn action_number(action: Action) -> i64 {
    let wire = match action {
        Action::Upsert => pb::Action::Upsert,
        Action::Gone => pb::Action::Gone,
        Action::MoveOut => pb::Action::MoveOut,
        Action::MoveIn => pb::Action::MoveIn,
    };
    i32::from(wire).into()
}

/// Number of a judgement.
pub(super) fn judgement_number(judgement: Judgement) -> i64 {
    let wire = match judgement {
        Judgement::Accepted => pb::Judgement::Accepted,
        Judgement::Warned => pb::Judgement::Warned,
        Judgement::Held => pb::Judgement::Held,
        Judgement::Rejected => pb::Judgement::Rejected,
    };
    i32::from(wire).into()
}
