//! A record in the making: fields are set by name, each remembers where it was read, and what had to be left
//! out is noted.
//!
//! A field that no mapping sets is absent as unmapped, never as not recorded. A date field takes the day as
//! written; an instant field needs the time too.

use std::collections::BTreeMap;

use vouchsafe_circuits::record::{Absence, FieldValue, Value};
use vouchsafe_circuits::schema::{Field, Kind, Schema, StatusEffect};

use super::absence;
use super::date::{self, Moment, NotATime};
use super::error::Why;
use super::path::{Node, Read};

/// What was not taken as it stood, counted.
#[derive(Default)]
pub(super) struct Notes {
    pub rounded: u64,
    pub unmapped: BTreeMap<String, u64>,
}

impl Notes {
    pub fn add(&mut self, other: Notes) {
        self.rounded += other.rounded;
        for (what, count) in other.unmapped {
            *self.unmapped.entry(what).or_default() += count;
        }
    }
}

/// A foreign name, fit to be printed: bounded, without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

pub(super) struct Draft<'s> {
    schema: &'s Schema,
    fields: Vec<FieldValue>,
    paths: Vec<String>,
    pub notes: Notes,
}

impl<'s> Draft<'s> {
    pub fn new(schema: &'s Schema) -> Draft<'s> {
        let fields = schema.all_absent(Absence::Unmapped);
        let paths = vec![String::new(); fields.len()];
        Draft { schema, fields, paths, notes: Notes::default() }
    }

    pub fn schema(&self) -> &'s Schema {
        self.schema
    }

    /// Counts an element that no field can hold. `what` names types, systems and units, no patient's value.
    pub fn note(&mut self, what: String) {
        *self.notes.unmapped.entry(what).or_default() += 1;
    }

    fn field(&self, name: &str) -> Read<(usize, &'s Field)> {
        let unknown = || Why::Mapping(format!("schema {} has no field {name}", self.schema.name())).at("$");
        self.schema.field(name).map(|(index, field)| (index.as_usize(), field)).ok_or_else(unknown)
    }

    pub fn set(&mut self, name: &str, value: FieldValue, path: String) -> Read<()> {
        let (place, _) = self.field(name)?;
        if let (Some(field), Some(at)) = (self.fields.get_mut(place), self.paths.get_mut(place)) {
            (*field, *at) = (value, path);
        }
        Ok(())
    }

    pub fn present(&mut self, name: &str, value: Value, path: &str) -> Read<()> {
        self.set(name, FieldValue::Present(value), path.to_owned())
    }

    pub fn absent(&mut self, name: &str, reason: Absence) -> Read<()> {
        self.set(name, FieldValue::Absent(reason), String::new())
    }

    /// The code that a field holds so far.
    pub fn code_in(&self, name: &str) -> Option<&str> {
        let (place, _) = self.field(name).ok()?;
        match self.fields.get(place)? {
            FieldValue::Present(Value::Code(code)) => Some(code),
            _ => None,
        }
    }

    /// What the status in a field does to the record. A status that is not known denies.
    pub fn effect(&self, name: &str) -> Read<StatusEffect> {
        let (_, field) = self.field(name)?;
        let effect = |code| field.status.get(code).copied().unwrap_or(StatusEffect::Asserts);
        Ok(self.code_in(name).map_or(StatusEffect::Denies, effect))
    }

    /// Takes every fact out of the record, so that it asserts nothing but its status.
    pub fn deny_all_but(&mut self, kept: &[&str]) {
        for ((_, field), value) in self.schema.fields().zip(&mut self.fields) {
            if !kept.contains(&field.name.as_str()) {
                *value = FieldValue::Absent(Absence::Unmapped);
            }
        }
    }

    /// A primitive code of a closed FHIR vocabulary.
    pub fn code(&mut self, name: &str, parent: &Node<'_>, key: &str, vocabulary: &[&str]) -> Read<()> {
        let Some((code, node)) = parent.text_at(key)? else {
            let reason = absence::of_primitive(parent, key)?.unwrap_or(Absence::NotAsked);
            return self.absent(name, reason);
        };
        if !vocabulary.contains(&code) {
            return Err(node.error(Why::BadForm("a code that FHIR R4 does not define here")));
        }
        self.present(name, Value::Code(code.to_owned()), node.path())
    }

    /// The same where FHIR requires the element.
    pub fn required_code(&mut self, name: &str, parent: &Node<'_>, key: &'static str, vocabulary: &[&str]) -> Read<()> {
        if !parent.has(key) && absence::of_primitive(parent, key)?.is_none() {
            return Err(Why::Missing(key).at(parent.path_of(key)));
        }
        self.code(name, parent, key, vocabulary)
    }

    pub fn boolean(&mut self, name: &str, parent: &Node<'_>, key: &str) -> Read<()> {
        match parent.boolean(key)? {
            Some(value) => self.present(name, Value::Code(value.to_string()), &parent.path_of(key)),
            None => self.absent(name, absence::of_primitive(parent, key)?.unwrap_or(Absence::NotAsked)),
        }
    }

    /// A CodeableConcept: its coding in one of the field's systems.
    pub fn concept(&mut self, name: &str, concept: Option<&Node<'_>>) -> Read<()> {
        let Some(concept) = concept else { return self.absent(name, Absence::NotAsked) };
        let (_, field) = self.field(name)?;
        let Kind::Code { systems, .. } = &field.kind else {
            return Err(concept.error(Why::Mapping(format!("field {name} holds no code"))));
        };
        match coding_of(concept, systems)? {
            Found::One(code, path) if field.may_hold(&code) => self.present(name, Value::Code(code), &path),
            Found::One(..) => {
                self.note(format!("{}.{name}: a code that its schema does not list", self.schema.name()));
                self.absent(name, Absence::Unmapped)
            }
            // one taken would let the opposite be proved of the other
            Found::Several => {
                self.note(format!("{}.{name}: several codes of one system, none taken", self.schema.name()));
                self.absent(name, Absence::Unmapped)
            }
            Found::None => {
                let given = absence::of_concept(concept)?;
                let reason = given.or(absence::of_extensions(concept)?).unwrap_or(Absence::Unmapped);
                self.absent(name, reason)
            }
        }
    }

    /// A date, dateTime or instant.
    pub fn moment(&mut self, name: &str, parent: &Node<'_>, key: &str) -> Read<()> {
        let Some((text, node)) = parent.text_at(key)? else {
            let reason = absence::of_primitive(parent, key)?.unwrap_or(Absence::NotAsked);
            return self.absent(name, reason);
        };
        let moment = date::parse(text).map_err(|e| {
            node.error(match e {
                NotATime::Form => Why::BadForm("not a FHIR date: YYYY-MM-DD, with a time and zone or without"),
                NotATime::Range => Why::OutOfRange("no such day or time between 1583 and 9999".to_owned()),
            })
        })?;
        let (_, field) = self.field(name)?;
        let value = match (&field.kind, moment) {
            (Kind::Date { .. }, Moment::Day(day) | Moment::Instant { day, .. }) => Value::Date(day),
            (Kind::Instant { .. }, Moment::Instant { seconds, .. }) => Value::Instant(seconds),
            (Kind::Date { .. } | Kind::Instant { .. }, _) => return self.absent(name, Absence::Imprecise),
            _ => return Err(node.error(Why::Mapping(format!("field {name} holds no time")))),
        };
        self.present(name, value, node.path())
    }

    /// A choice of types, as `onset[x]`, of which a date is one.
    pub fn choice_moment(&mut self, name: &str, parent: &Node<'_>, prefix: &str) -> Read<()> {
        let date_key = format!("{prefix}DateTime");
        match choice(parent, prefix)? {
            None => self.moment(name, parent, &date_key), // absent, with the reason that stands beside
            Some(key) => match key.strip_prefix(prefix) {
                Some("DateTime" | "Instant") => self.moment(name, parent, key),
                Some("Period" | "Age" | "Range") => self.absent(name, Absence::Imprecise),
                _ => {
                    self.note(format!("{}.{}", self.schema.name(), printable(key)));
                    self.absent(name, Absence::Unmapped)
                }
            },
        }
    }

    pub fn text(&mut self, name: &str, value: Option<(&str, Node<'_>)>, otherwise: Absence) -> Read<()> {
        match value {
            Some((text, node)) => self.present(name, Value::Text(text.trim().to_owned()), node.path()),
            None => self.absent(name, otherwise),
        }
    }

    /// One value per field of the schema, each fit to be encoded.
    pub fn finish(self) -> Read<(Vec<FieldValue>, Notes)> {
        for (((_, field), value), path) in self.schema.fields().zip(&self.fields).zip(&self.paths) {
            if let FieldValue::Present(value) = value
                && let Err(e) = field.encode(value)
            {
                return Err(match value {
                    Value::Code(_) => Why::OutOfRange(e.why).at(path.clone()),
                    _ => Why::Mapping(e.to_string()).at(path.clone()),
                });
            }
        }
        Ok((self.fields, self.notes))
    }
}

/// The one key of a choice element; two are an error.
pub(super) fn choice<'a>(parent: &Node<'a>, prefix: &str) -> Read<Option<&'a str>> {
    let mut keys = parent.keys_with(prefix);
    let first = keys.next();
    match keys.next() {
        Some(second) => Err(Why::BadForm("two values where FHIR allows one").at(parent.path_of(second))),
        None => Ok(first),
    }
}

pub(super) enum Found {
    None,
    One(String, String),
    Several,
}

/// The code of one of the systems, with its path; `Several` if they differ.
pub(super) fn coding_of(concept: &Node<'_>, systems: &[String]) -> Read<Found> {
    let mut found: Option<(&str, Node<'_>)> = None;
    for coding in concept.objects("coding")? {
        let Some(system) = coding.text("system")? else { continue };
        let code = coding.text_at("code")?;
        let (true, Some((code, node))) = (systems.iter().any(|s| s == system), code) else { continue };
        match &found {
            Some((other, _)) if *other != code => return Ok(Found::Several),
            Some(_) => {}
            None => found = Some((code, node)),
        }
    }
    Ok(found.map_or(Found::None, |(code, node)| Found::One(code.to_owned(), node.path().to_owned())))
}
