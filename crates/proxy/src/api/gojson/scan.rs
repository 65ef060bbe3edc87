//! From bytes to the first JSON value in them, or to the words in which Go refuses them.
//!
//! What follows the first value is ignored, as a Go decoder does that reads only one.

use std::fmt::Write as _;

/// How deep values may nest. Go allows 10,000; nothing that a client means is deeper than 4.
const DEEPEST: usize = 500;

/// A JSON value; numbers as they were written, keys in order and as often as they came.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Value {
    /// What Go calls this kind of value in an error.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

/// The first value.
///
/// # Errors
///
/// The text of Go's error: `EOF` for nothing at all, `unexpected EOF` for a value that breaks
/// off, `invalid character …` otherwise.
pub(crate) fn scan(bytes: &[u8]) -> Result<Value, String> {
    let mut scanner = Scanner { bytes, at: 0 };
    scanner.space();
    if scanner.at == bytes.len() {
        return Err("EOF".to_owned());
    }
    scanner.value(0)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, String> {
        match self.peek()? {
            b'{' => self.nested(depth, Self::object),
            b'[' => self.nested(depth, Self::array),
            b'"' => Ok(Value::String(self.string()?)),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.refuse("looking for beginning of value")),
        }
    }

    fn nested(
        &mut self,
        depth: usize,
        inside: fn(&mut Self, usize) -> Result<Value, String>,
    ) -> Result<Value, String> {
        if depth == DEEPEST {
            return Err(self.refuse("exceeded max depth"));
        }
        self.at += 1;
        inside(self, depth + 1)
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        let mut members = Vec::new();
        self.space();
        if self.take(b'}')? {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            if self.peek()? != b'"' {
                return Err(self.refuse("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(b':')? {
                return Err(self.refuse("after object key"));
            }
            self.space();
            members.push((key, self.value(depth)?));
            self.space();
            if self.take(b'}')? {
                return Ok(Value::Object(members));
            }
            if !self.take(b',')? {
                return Err(self.refuse("after object key:value pair"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        self.space();
        if self.take(b']')? {
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth)?);
            self.space();
            if self.take(b']')? {
                return Ok(Value::Array(items));
            }
            if !self.take(b',')? {
                return Err(self.refuse("after array element"));
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for expected in word.bytes() {
            if self.peek()? != expected {
                let place = format!("in literal {word} (expecting '{}')", char::from(expected));
                return Err(self.refuse(&place));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, String> {
        let begin = self.at;
        self.accept(b"-");
        // A leading zero stands alone: `01` is a 0 and something that follows it.
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.accept(b".") {
            self.digits("after decimal point in numeric literal")?;
        }
        if self.accept(b"eE") {
            self.accept(b"+-");
            self.digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(&self.bytes[begin..self.at]);
        Ok(Value::Number(text.into_owned()))
    }

    /// At least one digit.
    fn digits(&mut self, place: &str) -> Result<(), String> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.refuse(place));
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut raw = Vec::new();
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape(&mut raw)?,
                0..0x20 => return Err(self.refuse("in string literal")),
                byte => {
                    raw.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        // What is not UTF-8 becomes the replacement character, as in Go.
        Ok(String::from_utf8_lossy(&raw).into_owned())
    }

    fn escape(&mut self, raw: &mut Vec<u8>) -> Result<(), String> {
        self.at += 1;
        let byte = match self.peek()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.at += 1;
                let scalar = self.unicode()?;
                raw.extend_from_slice(scalar.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.refuse("in string escape code")),
        };
        raw.push(byte);
        self.at += 1;
        Ok(())
    }

    /// The character of one `\u` escape, or of two that are a surrogate pair.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex()?;
        if let Some(scalar) = char::from_u32(first) {
            return Ok(scalar);
        }
        let before = self.at;
        if self.bytes[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second) {
                let scalar = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = char::from(self.peek()?).to_digit(16) else {
                return Err(self.refuse(r"in \u hexadecimal character escape"));
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn space(&mut self) {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        while self.bytes.get(self.at).is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, String> {
        let end = || "unexpected EOF".to_owned();
        self.bytes.get(self.at).copied().ok_or_else(end)
    }

    /// Steps over this byte if it is next; an error at the end of the input.
    fn take(&mut self, byte: u8) -> Result<bool, String> {
        let is = self.peek()? == byte;
        self.at += usize::from(is);
        Ok(is)
    }

    /// Steps over one of these bytes if it is next.
    fn accept(&mut self, any: &[u8]) -> bool {
        let is = self.bytes.get(self.at).is_some_and(|b| any.contains(b));
        self.at += usize::from(is);
        is
    }

    /// `invalid character 'x'` and where.
    fn refuse(&self, place: &str) -> String {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        format!("invalid character {} {place}", quoted(byte))
    }
}

/// A byte as Go quotes it in an error: as the character of that number.
fn quoted(byte: u8) -> String {
    let mut text = String::from("'");
    match byte {
        b'\'' => text.push_str(r"\'"),
        b'\\' => text.push_str(r"\\"),
        0x07 => text.push_str(r"\a"),
        0x08 => text.push_str(r"\b"),
        0x0b => text.push_str(r"\v"),
        0x0c => text.push_str(r"\f"),
        b'\n' => text.push_str(r"\n"),
        b'\r' => text.push_str(r"\r"),
        b'\t' => text.push_str(r"\t"),
        // Writing to a string cannot fail.
        0..0x20 | 0x7f => drop(write!(text, r"\x{byte:02x}")),
        0x80..=0xa0 | 0xad => drop(write!(text, r"\u{byte:04x}")),
        _ => text.push(char::from(byte)),
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> String {
        scan(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn values_are_read_as_written() {
        let value = scan(br#" {"a":[1,-0.5e+3,true,false,null],"A":"x\n\u00e9\ud83d\ude00"} rest"#);
        let list = ["1", "-0.5e+3"].map(|n| Value::Number(n.to_owned()));
        let mut list = list.to_vec();
        list.extend([Value::Bool(true), Value::Bool(false), Value::Null]);
        let object = vec![
            ("a".to_owned(), Value::Array(list)),
            ("A".to_owned(), Value::String("x\né😀".to_owned())),
        ];
        assert_eq!(value, Ok(Value::Object(object)));
    }

    #[test]
    fn refusals_read_as_in_go() {
        for (text, expected) in [
            ("", "EOF"),
            (" \n\t ", "EOF"),
            ("{", "unexpected EOF"),
            ("tru", "unexpected EOF"),
            (r#"{"a":"b"#, "unexpected EOF"),
            ("{}}", ""),
            ("x", "invalid character 'x' looking for beginning of value"),
            (
                "'",
                r"invalid character '\'' looking for beginning of value",
            ),
            (
                "{,}",
                "invalid character ',' looking for beginning of object key string",
            ),
            (
                r#"{"a":1,}"#,
                "invalid character '}' looking for beginning of object key string",
            ),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (
                r#"{"a":1 "b"}"#,
                "invalid character '\"' after object key:value pair",
            ),
            (
                r#"{"a":01}"#,
                "invalid character '1' after object key:value pair",
            ),
            ("[1 2]", "invalid character '2' after array element"),
            (
                "[1,]",
                "invalid character ']' looking for beginning of value",
            ),
            (
                "[trux]",
                "invalid character 'x' in literal true (expecting 'e')",
            ),
            ("[-x]", "invalid character 'x' in numeric literal"),
            (
                "[1.x]",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            (
                "[1ex]",
                "invalid character 'x' in exponent of numeric literal",
            ),
            ("[\"\n\"]", r"invalid character '\n' in string literal"),
            ("[\"\u{1}\"]", r"invalid character '\x01' in string literal"),
            (r#"["\x"]"#, "invalid character 'x' in string escape code"),
            (
                r#"["\u12g4"]"#,
                r"invalid character 'g' in \u hexadecimal character escape",
            ),
        ] {
            if expected.is_empty() {
                assert!(scan(text.as_bytes()).is_ok(), "{text}");
            } else {
                assert_eq!(refused(text), expected, "{text}");
            }
        }
        assert_eq!(
            scan(b"\xff").expect_err("no value"),
            "invalid character 'ÿ' looking for beginning of value"
        );
    }

    #[test]
    fn lone_surrogates_and_bytes_that_are_no_text_are_replaced() {
        let string = |bytes: &[u8]| match scan(bytes) {
            Ok(Value::String(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(string(br#""\ud83d!""#), "\u{fffd}!");
        assert_eq!(string(br#""\ud83d\u0041""#), "\u{fffd}A");
        assert_eq!(string(br#""\ude00""#), "\u{fffd}");
        assert_eq!(string(b"\"a\xffb\""), "a\u{fffd}b");
    }

    #[test]
    fn depth_is_bounded() {
        let text = "[".repeat(100_000);
        assert_eq!(refused(&text), "invalid character '[' exceeded max depth");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_value_or_words(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes);
        }

        /// Whatever a strict parser accepts, this one reads the same strings and shape from.
        #[test]
        fn what_is_json_is_accepted(text in r#"\[("[a-z\\\\u00é]{0,8}",){0,4}-?[0-9]{1,3}(\.[0-9]{1,3})?(e-?[0-9]{1,2})?\]"#) {
            let strict = serde_json::from_str::<Vec<serde_json::Value>>(&text);
            let ours = scan(text.as_bytes());
            if let Ok(strict) = strict {
                let Ok(Value::Array(ours)) = ours else { panic!("{text}: {ours:?}") };
                prop_assert_eq!(ours.len(), strict.len());
                for (ours, strict) in ours.iter().zip(&strict) {
                    if let Value::String(text) = ours {
                        prop_assert_eq!(Some(text.as_str()), strict.as_str());
                    }
                }
            }
        }
    }
}
