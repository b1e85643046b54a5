//! Schemas and verifying keys: registered once, by a registrar in good standing.

use vouchsafe_circuits::schema::Schema;
use vouchsafe_ledger_types::entry::{RegisterSchema, RegisterVerifyingKey, Role};
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_value::{ChainState, SchemaState, VerifyingKeyState};
use vouchsafe_ledger_types::units::Height;

use super::{Author, Outcome};
use crate::state::{ReadError, StateRead};
use crate::state_machine::working::Working;

pub(super) fn register_schema<S: StateRead>(
    working: &mut Working<'_, S>,
    height: Height,
    author: &Author,
    body: &RegisterSchema,
) -> Result<Outcome, ReadError> {
    if let Some(code) = author.may(Role::Registrar) {
        return Ok(code.into());
    }
    let Ok(schema) = Schema::parse(&body.schema) else {
        return Ok(ReceiptCode::InvalidSchema.into());
    };
    if working.value::<SchemaState>(schema.id())?.is_some() {
        return Ok(ReceiptCode::DuplicateSchema.into());
    }
    working.put(schema.id(), &SchemaState { registrar: author.id, height, retired: false });
    Ok(ReceiptCode::Accepted.into())
}

pub(super) fn register_verifying_key<S: StateRead>(
    working: &mut Working<'_, S>,
    chain: &ChainState,
    height: Height,
    author: &Author,
    body: &RegisterVerifyingKey,
) -> Result<Outcome, ReadError> {
    if let Some(code) = author.may(Role::Registrar) {
        return Ok(code.into());
    }
    if body.development && !chain.development {
        return Ok(ReceiptCode::DevelopmentKey.into());
    }
    if working.value::<VerifyingKeyState>(body.key_id)?.is_some() {
        return Ok(ReceiptCode::DuplicateVerifyingKey.into());
    }
    let key = VerifyingKeyState {
        statement: body.statement.clone(),
        development: body.development,
        registrar: author.id,
        height,
        retired: false,
    };
    working.put(body.key_id, &key);
    Ok(ReceiptCode::Accepted.into())
}
