//! A JSON value that knows where it stands, read with FHIR's types.
//!
//! `None` is "not there"; a wrong type or a null is an error at its path. FHIR pads arrays of primitives
//! with nulls, nothing else, and these arrays are read with [`Node::items_or_null`].

use serde_json::Value;

use super::error::{Located, Why};

pub(super) type Read<T> = Result<T, Located>;

#[derive(Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub fn top(value: &'a Value) -> Node<'a> {
        Node { value, path: String::new() }
    }

    /// The path; `$` for the top.
    pub fn path(&self) -> &str {
        if self.path.is_empty() { "$" } else { &self.path }
    }

    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub fn json(&self) -> &'a Value {
        self.value
    }

    pub fn error(&self, why: Why) -> Located {
        why.at(self.path())
    }

    fn wrong(&self, expected: &'static str) -> Located {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        self.error(Why::WrongType { expected, found })
    }

    /// Whether the key is there, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some()
    }

    fn child(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.as_object()?.get(key)?;
        Some(Node { value, path: self.path_of(key) })
    }

    pub fn check_object(self) -> Read<Node<'a>> {
        if self.value.is_object() { Ok(self) } else { Err(self.wrong("an object")) }
    }

    pub fn object(&self, key: &str) -> Read<Option<Node<'a>>> {
        self.child(key).map(Node::check_object).transpose()
    }

    /// The objects of an array; empty when it is not there.
    pub fn objects(&self, key: &str) -> Read<Vec<Node<'a>>> {
        self.items_or_null(key)?.into_iter().map(Node::check_object).collect()
    }

    /// The items of an array, nulls included; empty when it is not there.
    pub fn items_or_null(&self, key: &str) -> Read<Vec<Node<'a>>> {
        let Some(array) = self.child(key) else { return Ok(Vec::new()) };
        let Value::Array(items) = array.value else { return Err(array.wrong("an array")) };
        let place = |(i, value)| Node { value, path: format!("{}[{i}]", array.path) };
        Ok(items.iter().enumerate().map(place).collect())
    }

    pub fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub fn check_text(&self) -> Read<&'a str> {
        let Value::String(text) = self.value else { return Err(self.wrong("a string")) };
        if text.trim().is_empty() { Err(self.error(Why::BadForm("an empty string"))) } else { Ok(text) }
    }

    /// A string that is not empty, and where it stands.
    pub fn text_at(&self, key: &str) -> Read<Option<(&'a str, Node<'a>)>> {
        self.child(key).map(|node| Ok((node.check_text()?, node))).transpose()
    }

    pub fn text(&self, key: &str) -> Read<Option<&'a str>> {
        Ok(self.text_at(key)?.map(|(text, _)| text))
    }

    pub fn boolean(&self, key: &str) -> Read<Option<bool>> {
        self.child(key).map(|node| node.value.as_bool().ok_or_else(|| node.wrong("a boolean"))).transpose()
    }

    /// The text of a number, and where it stands.
    pub fn number_at(&self, key: &str) -> Read<Option<(&'a str, Node<'a>)>> {
        let Some(node) = self.child(key) else { return Ok(None) };
        match node.value {
            Value::Number(number) => Ok(Some((number.as_str(), node))),
            _ => Err(node.wrong("a number")),
        }
    }

    /// Keys that begin so: the spellings of a choice element, as `value[x]`.
    pub fn keys_with(&self, prefix: &str) -> impl Iterator<Item = &'a str> {
        let object = self.value.as_object();
        object.into_iter().flat_map(|o| o.keys()).map(String::as_str).filter({
            let prefix = prefix.to_owned();
            move |key| key.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        })
    }
}
