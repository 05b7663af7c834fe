//! Between the generated wire types and the domain's. Wire enums of 0 and numbers out of range are refused here.

use prost::Message;

use crate::{
    column::{BlockNo, Column},
    id::RecordId,
    pb,
    record::{Action, Answered, Block, Day, Delta, Move, Provenance, RecordKind, Value, is_source_name},
    rulebook::{Finding, Severity},
};

/// Bytes that are no delta by the rules of `record.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no delta: {0}")]
pub struct Unreadable(&'static str);

impl RecordKind {
    /// The wire's number.
    pub fn to_wire(self) -> pb::RecordKind {
        match self {
            Self::Keluarga => pb::RecordKind::Keluarga,
            Self::Individu => pb::RecordKind::Individu,
        }
    }

    /// From the wire's number.
    pub fn from_wire(number: i32) -> Option<Self> {
        match pb::RecordKind::try_from(number).ok()? {
            pb::RecordKind::Unspecified => None,
            pb::RecordKind::Keluarga => Some(Self::Keluarga),
            pb::RecordKind::Individu => Some(Self::Individu),
        }
    }
}

impl Action {
    fn to_wire(self) -> pb::Action {
        match self {
            Self::Upsert => pb::Action::Upsert,
            Self::Gone => pb::Action::Gone,
            Self::MoveOut => pb::Action::MoveOut,
            Self::MoveIn => pb::Action::MoveIn,
        }
    }

    fn from_wire(number: i32) -> Option<Self> {
        match pb::Action::try_from(number).ok()? {
            pb::Action::Unspecified => None,
            pb::Action::Upsert => Some(Self::Upsert),
            pb::Action::Gone => Some(Self::Gone),
            pb::Action::MoveOut => Some(Self::MoveOut),
            pb::Action::MoveIn => Some(Self::MoveIn),
        }
    }
}

impl Block {
    /// The wire's form.
    pub fn to_wire(&self) -> pb::Block {
        let mut wire = pb::Block {
            block: self.number.0.into(),
            provenance: Some(pb::Provenance {
                source: self.provenance.source.to_string(),
                reference_day: self.provenance.reference.0,
            }),
            ..Default::default()
        };
        for (column, value) in &self.cells {
            let column = u32::from(column.0);
            match value {
                Value::Number(number) => {
                    wire.number_columns.push(column);
                    wire.numbers.push(*number);
                }
                Value::Text(text) => {
                    wire.text_columns.push(column);
                    wire.texts.push(text.to_string());
                }
                Value::Cleared => wire.cleared_columns.push(column),
                Value::Unmapped(raw) => wire.unmapped.push(pb::Unmapped { column, raw: raw.to_string() }),
            }
        }
        wire
    }

    /// From the wire's form: lists in step, columns ascending and named once.
    pub fn from_wire(wire: pb::Block) -> Result<Self, Unreadable> {
        let number = u8::try_from(wire.block).map_err(|_| Unreadable("block number"))?;
        let provenance = wire.provenance.ok_or(Unreadable("provenance"))?;
        if wire.number_columns.len() != wire.numbers.len() || wire.text_columns.len() != wire.texts.len() {
            return Err(Unreadable("columns and values are not in step"));
        }
        let count = wire.numbers.len() + wire.texts.len() + wire.cleared_columns.len() + wire.unmapped.len();
        let mut cells = Vec::with_capacity(count);
        let lists = [
            wire.number_columns.is_sorted_by(|a, b| a < b),
            wire.text_columns.is_sorted_by(|a, b| a < b),
            wire.cleared_columns.is_sorted_by(|a, b| a < b),
            wire.unmapped.is_sorted_by(|a, b| a.column < b.column),
        ];
        if lists.contains(&false) {
            return Err(Unreadable("columns do not ascend"));
        }
        let column = |number: u32| u16::try_from(number).map(Column).map_err(|_| Unreadable("column number"));
        for (number, value) in wire.number_columns.into_iter().zip(wire.numbers) {
            cells.push((column(number)?, Value::Number(value)));
        }
        for (number, text) in wire.text_columns.into_iter().zip(wire.texts) {
            cells.push((column(number)?, Value::Text(text.into())));
        }
        for number in wire.cleared_columns {
            cells.push((column(number)?, Value::Cleared));
        }
        for unmapped in wire.unmapped {
            cells.push((column(unmapped.column)?, Value::Unmapped(unmapped.raw.into())));
        }
        cells.sort_by_key(|(column, _)| *column);
        if cells.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Unreadable("a column is named twice"));
        }
        let provenance =
            Provenance { source: provenance.source.into(), reference: Day(provenance.reference_day) };
        Ok(Self { number: BlockNo(number), provenance, cells })
    }
}

impl Delta {
    /// The bytes that become a leaf.
    pub fn encode(&self) -> Vec<u8> {
        pb::Delta {
            salt: self.salt.to_vec(),
            kind: self.kind.to_wire().into(),
            action: self.action.to_wire().into(),
            record_id: self.record.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
            blocks: self.blocks.iter().map(Block::to_wire).collect(),
            r#move: self.transfer.map(|m| pb::Move { other_region: m.other.to_string(), day: m.day.0 }),
            answers: self.answers.map(|Answered { epoch, sequence, index }| pb::Answered {
                epoch,
                sequence,
                index,
            }),
        }
        .encode_to_vec()
    }

    /// Reads the bytes of a leaf.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let wire = pb::Delta::decode(bytes).map_err(|_| Unreadable("protobuf"))?;
        let salt = wire.salt.try_into().map_err(|_| Unreadable("salt"))?;
        let kind = RecordKind::from_wire(wire.kind).ok_or(Unreadable("kind"))?;
        let action = Action::from_wire(wire.action).ok_or(Unreadable("action"))?;
        let record = match wire.record_id.as_slice() {
            [] => None,
            id => Some(RecordId::from_slice(id).ok_or(Unreadable("record id"))?),
        };
        // A vector of its own: collected in place, the blocks would keep the memory of the wire's, which are four times as long.
        let mut blocks = Vec::with_capacity(wire.blocks.len());
        for block in wire.blocks {
            blocks.push(Block::from_wire(block)?);
        }
        if !blocks.is_sorted_by(|a, b| a.number < b.number) {
            return Err(Unreadable("blocks do not ascend"));
        }
        // Here and not in a block: what a hub stored before this was checked stays readable.
        if blocks.iter().any(|b| !is_source_name(&b.provenance.source)) {
            return Err(Unreadable("name of a source"));
        }
        let transfer = match wire.r#move {
            None => None,
            Some(m) => Some(Move {
                other: m.other_region.parse().map_err(|_| Unreadable("region of the move"))?,
                day: Day(m.day),
            }),
        };
        let answers =
            wire.answers.map(|pb::Answered { epoch, sequence, index }| Answered { epoch, sequence, index });
        Ok(Self { salt, kind, action, record, blocks, transfer, answers })
    }
}

impl Finding {
    /// The wire's form.
    pub fn to_wire(&self) -> pb::Finding {
        let severity = match self.severity {
            Severity::Notice => pb::Severity::Notice,
            Severity::Warning => pb::Severity::Warning,
            Severity::Hold => pb::Severity::Hold,
            Severity::Error => pb::Severity::Error,
        };
        pb::Finding {
            reason: self.reason.to_string(),
            severity: severity.into(),
            column: self.column.map_or(0, |c| c.0.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::Number),
            ".{0,40}".prop_map(|text| Value::Text(text.into())),
            Just(Value::Cleared),
            ".{0,40}".prop_map(|raw| Value::Unmapped(raw.into())),
        ]
    }

    prop_compose! {
        fn block()(
            number in any::<u8>(),
            source in "[a-z]{1,8}",
            day in any::<i32>(),
            cells in proptest::collection::btree_map(any::<u16>(), value(), 0..12),
        ) -> Block {
            let cells = cells.into_iter().map(|(column, value)| (Column(column), value)).collect();
            let provenance = Provenance { source: source.into(), reference: Day(day) };
            Block { number: BlockNo(number), provenance, cells }
        }
    }

    proptest! {
        #[test]
        fn a_delta_survives_the_wire(
            salt in any::<[u8; 16]>(),
            id in proptest::option::of(any::<[u8; 16]>()),
            blocks in proptest::collection::btree_map(any::<u8>(), block(), 0..5),
            answers in proptest::option::of(any::<(u32, u32, u32)>()),
        ) {
            let answers = answers.map(|(epoch, sequence, index)| Answered { epoch, sequence, index });
            let blocks = blocks.into_iter().map(|(number, b)| Block { number: BlockNo(number), ..b }).collect();
            let record = id.and_then(|id| RecordId::from_slice(&id));
            let delta = Delta {
                salt, kind: RecordKind::Individu, action: Action::Upsert, record, blocks, transfer: None, answers,
            };
            prop_assert_eq!(Delta::decode(&delta.encode()), Ok(delta));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Delta::decode(&bytes);
        }
    }

    #[test]
    fn refuses_what_has_two_meanings() {
        let good = pb::Block { block: 1, provenance: Some(pb::Provenance::default()), ..Default::default() };
        let out_of_step = pb::Block { number_columns: vec![1], ..good.clone() };
        let descending = pb::Block { cleared_columns: vec![2, 1], ..good.clone() };
        let twice =
            pb::Block { cleared_columns: vec![1], number_columns: vec![1], numbers: vec![5], ..good.clone() };
        for wrong in [out_of_step, descending, twice] {
            assert!(Block::from_wire(wrong).is_err());
        }
        assert!(Block::from_wire(good).is_ok());
    }
}
