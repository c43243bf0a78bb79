//! XML both ways: small documents read whole with what could be abused refused, replies written element by element.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::cos::domain::refusal::{Code, Refusal};

/// The namespace of results. Source: docs, buckets.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// Elements within elements.
const DEPTH_MAX: usize = 20;
/// Elements of one document; a list of 1,000 keys to delete has some 3,000.
const ELEMENTS_MAX: usize = 50_000;

/// An element with what is in it. Namespaces and attributes are left out: nothing here is told by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// Its own text, without that of its children.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a document; its root must have the name.
    ///
    /// # Errors
    /// `MissingRequestBodyError` for nothing; `MalformedXML` for what is not well-formed, has a DTD or entities, or is too
    /// deep.
    pub(crate) fn parse(document: &[u8], root: &str) -> Result<Self, Refusal> {
        if document.iter().all(u8::is_ascii_whitespace) {
            return Err(Code::MissingRequestBodyError.into());
        }
        let text = std::str::from_utf8(document).map_err(|_| malformed())?;
        if text.contains('\0') {
            return Err(malformed());
        }
        let element = read(text)?;
        if element.name == root { Ok(element) } else { Err(malformed()) }
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, without blanks around it.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// A whole number in the first child of that name.
    ///
    /// # Errors
    /// `MalformedXML` for anything else.
    pub(crate) fn number_of(&self, name: &str) -> Result<Option<u64>, Refusal> {
        self.text_of(name).map(|text| text.parse().map_err(|_| malformed())).transpose()
    }
}

/// The refusal of a document that is none, or not the one that is needed.
pub(crate) fn malformed() -> Refusal {
    Code::MalformedXML.into()
}

fn read(text: &str) -> Result<Element, Refusal> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(start) => {
                elements += 1;
                if root.is_some() || open.len() >= DEPTH_MAX || elements > ELEMENTS_MAX {
                    return Err(malformed());
                }
                open.push(named(&start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if root.is_some() || elements > ELEMENTS_MAX {
                    return Err(malformed());
                }
                close(named(&start)?, &mut open, &mut root);
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(malformed)?;
                close(element, &mut open, &mut root);
            }
            Event::Text(text) => {
                let text = text.xml10_content();
                match open.last_mut() {
                    Some(element) => element.text.push_str(&text),
                    None if text.trim().is_empty() => {}
                    None => return Err(malformed()),
                }
            }
            Event::CData(data) => {
                open.last_mut().ok_or_else(malformed)?.text.push_str(&data.xml10_content());
            }
            Event::GeneralRef(name) => {
                let letter = match name.resolve_char_ref().map_err(|_| malformed())? {
                    Some(letter) => letter,
                    None => predefined(&name)?,
                };
                open.last_mut().ok_or_else(malformed)?.text.push(letter);
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(malformed()),
            Event::Eof => break,
        }
    }
    if open.is_empty() { root.ok_or_else(malformed) } else { Err(malformed()) }
}

fn named(start: &BytesStart<'_>) -> Result<Element, Refusal> {
    let name = start.local_name().into_inner().to_owned();
    for attribute in start.attributes() {
        attribute.map_err(|_| malformed())?;
    }
    Ok(Element { name, ..Element::default() })
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn predefined(name: &str) -> Result<char, Refusal> {
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(malformed()),
    }
}

/// A document under way.
pub(crate) struct Document {
    text: String,
    root: &'static str,
}

impl Document {
    /// A result: its root has S3's namespace.
    pub(crate) fn result(root: &'static str) -> Self {
        Self::begin(root, &format!("<{root} xmlns=\"{NAMESPACE}\">"))
    }

    /// An error: without a namespace.
    pub(crate) fn error() -> Self {
        Self::begin("Error", "<Error>")
    }

    fn begin(root: &'static str, tag: &str) -> Self {
        Self { text: format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n{tag}"), root }
    }

    /// An element with text.
    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        // Writing to a text does not fail.
        let _ = write!(self.text, "<{name}>");
        escape(value, &mut self.text);
        let _ = write!(self.text, "</{name}>");
        self
    }

    /// An element with text, where there is some.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// An element with a number.
    pub(crate) fn number(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        let _ = write!(self.text, "<{name}>{value}</{name}>");
        self
    }

    /// An element with elements in it. Attributes may follow its name.
    pub(crate) fn element(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let _ = write!(self.text, "<{name}>");
        fill(self);
        let name = name.split(' ').next().unwrap_or(name);
        let _ = write!(self.text, "</{name}>");
        self
    }

    /// Text of the root itself.
    pub(crate) fn own_text(&mut self, value: &str) -> &mut Self {
        escape(value, &mut self.text);
        self
    }

    /// The whole document.
    pub(crate) fn finish(mut self) -> String {
        let _ = write!(self.text, "</{}>", self.root);
        self.text
    }
}

/// Control characters go out as references: XML readers would turn a bare carriage return into a line feed.
fn escape(value: &str, text: &mut String) {
    for letter in value.chars() {
        match letter {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(text, "&#x{:x};", u32::from(letter));
            }
            _ => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(document: &str) -> String {
        Element::parse(document.as_bytes(), "Delete").unwrap_err().code.into_owned()
    }

    #[test]
    fn namespaces_prefixes_and_references_do_not_matter() {
        let plain = "<Delete><Object><Key>a&amp;b&#x20;c</Key></Object><Quiet>true</Quiet></Delete>";
        let expected = Element::parse(plain.as_bytes(), "Delete").unwrap();
        assert_eq!(expected.child("Object").unwrap().text_of("Key"), Some("a&b c"));
        for same in [
            "<?xml version=\"1.0\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b c</Key>\
             </Object><Quiet>true</Quiet></Delete>",
            "<s:Delete xmlns:s=\"x\"><s:Object><s:Key><![CDATA[a&b c]]></s:Key></s:Object><s:Quiet>true</s:Quiet></s:Delete>",
            "<Delete><!-- x --><Object><Key>a&amp;b c</Key></Object><Quiet>true</Quiet></Delete>\n",
        ] {
            assert_eq!(Element::parse(same.as_bytes(), "Delete").unwrap(), expected, "{same}");
        }
    }

    #[test]
    fn what_could_be_abused_or_is_no_document_is_refused() {
        for wrong in [
            "<!DOCTYPE Delete [<!ENTITY a \"b\">]><Delete>&a;</Delete>",
            "<Delete>&a;</Delete>",
            "<Delete>",
            "<Delete></Other>",
            "<Delete/><Delete/>",
            "<Delete/>text",
            "<Other/>",
            "plain text",
            "<Delete a=1/>",
        ] {
            assert_eq!(refused(wrong), "MalformedXML", "{wrong}");
        }
        let deep = format!("<Delete>{}{}</Delete>", "<a>".repeat(20), "</a>".repeat(20));
        assert_eq!(refused(&deep), "MalformedXML");
        assert_eq!(refused(" \n"), "MissingRequestBodyError");
        assert_eq!(refused(""), "MissingRequestBodyError");
        assert!(Element::parse(b"<Delete>\xff</Delete>", "Delete").is_err());
    }

    #[test]
    fn what_is_written_is_escaped() {
        let mut document = Document::result("ListBucketResult");
        document.text("Key", "a<b>&\"\r\n").number("Size", 3).element("Owner", |owner| {
            owner.maybe("ID", Some("1")).maybe("DisplayName", None);
        });
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
             <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Key>a&lt;b&gt;&amp;&quot;&#xd;&#xa;</Key>\
             <Size>3</Size><Owner><ID>1</ID></Owner></ListBucketResult>";
        assert_eq!(document.finish(), expected);
    }
}
