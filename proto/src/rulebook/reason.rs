//! Names of the reasons. Severity and texts are data: `data/rulebook/reasons.toml`, which a test compares with this list.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* pub const $name: &str = stringify!($name);)*
        /// Every reason that code may give.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

reasons! {
    /// The NIK is not 16 digits.
    NIK_FORMAT;
    /// The area part of the NIK contains 00.
    NIK_AREA;
    /// The date inside the NIK does not exist.
    NIK_DATE;
    /// The serial of the NIK is 0000.
    NIK_SERIAL;
    /// There is no NIK.
    NIK_MISSING;
    /// The area inside the NIK is not in today's list.
    NIK_AREA_UNKNOWN;
    /// The birth date differs from the NIK.
    NIK_BIRTH_DIFFERS;
    /// The sex differs from the NIK.
    NIK_SEX_DIFFERS;
    /// The NIK went through a spreadsheet as a number and lost digits.
    NIK_AS_NUMBER;
    /// The NIK is a placeholder such as 0 or 9999.
    NIK_PLACEHOLDER;
    /// The No. KK is not 16 digits.
    KK_FORMAT;
    /// The area part of the No. KK contains 00.
    KK_AREA;
    /// The date inside the No. KK does not exist.
    KK_DATE;
    /// The serial of the No. KK is 0000.
    KK_SERIAL;
    /// The family has no No. KK.
    KK_MISSING;
    /// The name is empty.
    NAME_MISSING;
    /// The name contains unusual characters.
    NAME_CHARACTERS;
    /// The code is not in the code list.
    CODE_RANGE;
    /// The source's value has no DTSEN code yet.
    CODE_UNMAPPED;
    /// The count is out of range.
    COUNT_RANGE;
    /// The date is in the future.
    DATE_FUTURE;
    /// The date is impossible.
    DATE_IMPOSSIBLE;
    /// The date cannot be read.
    DATE_FORMAT;
    /// The number cannot be read.
    NUMBER_FORMAT;
    /// The text is too long.
    TEXT_TOO_LONG;
    /// The text contains control characters.
    TEXT_CONTROL;
    /// The area code is no dotted Kemendagri code.
    AREA_FORMAT;
    /// The area code is not in today's list.
    AREA_UNKNOWN;
    /// The BPS code is not 2, 4, 7 or 10 digits.
    BPS_FORMAT;
    /// The kind of value does not fit the column.
    SHAPE_DIFFERS;
    /// The column or block is unknown.
    COLUMN_UNKNOWN;
    /// The column stands in the wrong block.
    COLUMN_MISPLACED;
    /// A column owned by the hub was left out at import.
    COLUMN_DROPPED;
    /// Only the hub sets deciles.
    HUB_COLUMN;
    /// The block is not for this kind of record.
    KIND_DIFFERS;
    /// The record referred to does not exist.
    RECORD_UNKNOWN;
    /// The reference date is in the future.
    REFERENCE_FUTURE;
    /// The reference date is older than what this source already sent.
    STALE;
    /// The change cannot be read.
    DELTA_UNREADABLE;
    /// The change is incomplete: no number, block or move.
    DELTA_INCOMPLETE;
    /// The village of domicile is not resolved.
    VILLAGE_UNRESOLVED;
    /// The village name fits more than one area.
    VILLAGE_AMBIGUOUS;
    /// The village of domicile is outside the sender's region.
    VILLAGE_ELSEWHERE;
    /// The move is incomplete: the other region has not confirmed.
    MOVE_HALF;
    /// The record to move is not here.
    MOVE_UNKNOWN;
    /// The other region of the move is no other known kab/kota.
    MOVE_REGION;
    /// The education answers do not fit school attendance [R-E1].
    SKIP_EDUCATION;
    /// The job answers do not fit the work status [R-W1].
    SKIP_WORK;
    /// The business answers do not fit business ownership [R-W2].
    SKIP_BUSINESS;
    /// The health answers do not fit the age [R-H1].
    SKIP_HEALTH;
    /// The housing answers do not fit each other [R-R1].
    SKIP_HOUSING;
    /// Installed power is given without a PLN meter [R-X].
    POWER_WITHOUT_METER;
    /// The 5.5 kg gas cylinder does not fit the cooking fuel [R-A1].
    GAS_DIFFERS;
    /// An electric appliance without electricity [R-A2].
    ASSET_WITHOUT_POWER;
    /// Older than 120 years.
    AGE_UNLIKELY;
    /// The head of the family is younger than 10.
    AGE_HEAD;
    /// Married, divorced or widowed below 12.
    AGE_MARRIED;
    /// Married, divorced or widowed below 19.
    MARRIED_UNDER_19;
    /// At school below age 5.
    AGE_SCHOOL;
    /// A university degree below age 18.
    AGE_DEGREE;
    /// Working or owning a business below age 10.
    AGE_WORK;
    /// The family has no head [R-HH1].
    HEAD_MISSING;
    /// The family has more than one head [R-HH1].
    HEAD_SEVERAL;
    /// The name of the head differs from that of the member who is head.
    HEAD_NAME_DIFFERS;
    /// More than one spouse [R-HH1].
    SPOUSE_SEVERAL;
    /// Spouse and head have the same sex.
    SPOUSE_SEX_SAME;
    /// A child is older than the head of the family.
    CHILD_OLDER_THAN_HEAD;
    /// The number of members differs from the list [R-HH2].
    MEMBERS_DIFFER;
    /// The member's No. KK differs from the family's.
    MEMBER_KK_DIFFERS;
    /// A member without a family: no No. KK, or no such family.
    MEMBER_WITHOUT_FAMILY;
    /// The domicile is another region; the text does not say so.
    CLAIMED_ELSEWHERE;
    /// More than one person has this NIK; the text does not say so.
    DUPLICATE_NIK;
    /// A death needs evidence of the civil registry.
    DEATH_NEEDS_AUTHORITY;
    /// No longer in the source; its claims are withdrawn.
    GONE_NOTED;
    /// Accepted by a steward.
    STEWARD_ACCEPTED;
    /// Rejected by a steward.
    STEWARD_REJECTED;
    /// Moved by a steward.
    MOVED_BY_STEWARD;
    /// Replaced by a later change.
    SUPERSEDED;
    /// Another source of equal standing says otherwise.
    CONTESTED;
    /// As many sources of the region as there may be state this block of the record already.
    SOURCES_TOO_MANY;
    /// The line has another number of columns than the heading.
    ROW_BROKEN;
    /// Bytes that are no UTF-8 were replaced.
    BYTES_BROKEN;
    /// The line is too long.
    LINE_TOO_LONG;
    /// The last line is cut off.
    LAST_LINE_CUT;
    /// The same record occurs more than once.
    DUPLICATE_ROW;
    /// A temporary NIK made by OpenSID.
    NIK_TEMPORARY;
    /// Another person of this delivery has the same NIK.
    NIK_SHARED;
    /// A title was taken off the name.
    NAME_TITLE;
    /// An alias or a remark was taken off the name.
    NAME_ALIAS;
    /// Day and month were exchanged, corrected by the NIK or the calendar.
    DATE_SWAPPED;
    /// Day and month may be exchanged, which cannot be told.
    DATE_AMBIGUOUS;
    /// Only the year of birth is known.
    DATE_YEAR_ONLY;
    /// A number of a code list that is not known.
    CODE_LIST_UNKNOWN;
    /// The cell holds an error or a formula without result.
    CELL_FAULT;
    /// Another row for the same person takes the place of this one.
    ROW_SUPERSEDED;
    /// The row has neither NIK nor name.
    ROW_NOBODY;
    /// The source marks the row as not valid.
    ROW_NOT_VALID;
    /// The row names several people in one cell.
    ROW_SEVERAL;
    /// The sheet has no heading that is known.
    HEADING_UNKNOWN;
}
