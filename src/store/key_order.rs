//! The order of a list: what of it kinds settle, and the rest as SQL.

use crate::domain::filter::DateProperty;
use crate::domain::sort::{Direction, Property, Term as SortTerm};
use crate::store::key_kinds::{Group, Kind};
use crate::store::key_query::date_column;
use crate::store::key_walks::is_sparse;

/// Kinds whose keys come one after another in an order, and what is left of that order within them.
pub(crate) struct Class {
    pub(crate) groups: Vec<Group>,
    pub(crate) terms: Vec<SortTerm>,
}

/// Each property once, and at the end the id, behind which nothing weighs.
pub(crate) fn settled(sort: &[SortTerm]) -> Vec<SortTerm> {
    let mut terms: Vec<SortTerm> = Vec::new();
    let id = SortTerm { property: Property::Id, direction: Direction::Ascending };
    for term in sort.iter().copied().chain([id]) {
        let settled = |known: &SortTerm| known.property == term.property || known.property == Property::Id;
        if !terms.iter().any(settled) {
            terms.push(term);
        }
    }
    terms
}

/// Takes the terms that kinds settle from the front: what remains begins with a date that all keys of a class have, or
/// with the id.
pub(crate) fn classes(groups: Vec<Group>, mut terms: Vec<SortTerm>) -> Vec<Class> {
    let Some(first) = terms.first().copied() else { return vec![Class { groups, terms }] };
    let date = date_of(first.property);
    if first.property == Property::Id || date.is_some_and(|date| !is_sparse(date)) {
        return vec![Class { groups, terms }];
    }
    if let Some(date) = date {
        let (have, lack): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(|group| group.kind.has(date));
        let having = Class { groups: have, terms: terms.clone() };
        terms.remove(0);
        return std::iter::once(having).chain(classes(lack, terms)).filter(|class| !class.groups.is_empty()).collect();
    }
    terms.remove(0);
    let of = |value: u8| groups.iter().filter(move |group| group.kind.shared(first.property) == Some(value)).cloned();
    let mut values: Vec<u8> = groups.iter().filter_map(|group| group.kind.shared(first.property)).collect();
    values.sort_unstable();
    values.dedup();
    if first.direction == Direction::Descending {
        values.reverse();
    }
    values.into_iter().flat_map(|value| classes(of(value).collect(), terms.clone())).collect()
}

/// True for a date and the id, both the same way.
pub(crate) fn is_order_of_index(terms: &[SortTerm]) -> bool {
    matches!(terms, [dated, id] if id.property == Property::Id && id.direction == dated.direction)
}

/// What is sorted by, then what is shown. What all keys of a kind share is no column of an index.
pub(crate) fn columns(terms: &[SortTerm], kind: Option<Kind>, shown: &str) -> String {
    let sorted = terms.iter().map(|term| {
        let shared = kind.and_then(|kind| kind.shared(term.property));
        shared.map_or_else(|| sort_column(term.property).to_owned(), |value| value.to_string())
    });
    let columns: Vec<String> = sorted.chain([shown.to_owned()]).collect();
    columns.join(", ")
}

/// What a statement ends in; nothing for no order.
pub(crate) fn order(terms: &[SortTerm]) -> String {
    let term = |(place, term): (usize, &SortTerm)| {
        let direction = if term.direction == Direction::Descending { " DESC" } else { "" };
        let lacks = date_of(term.property).is_some_and(is_sparse);
        format!("{}{direction}{}", place + 1, if lacks { " NULLS LAST" } else { "" })
    };
    let terms: Vec<String> = terms.iter().enumerate().map(term).collect();
    if terms.is_empty() { String::new() } else { format!(" ORDER BY {}", terms.join(", ")) }
}

/// The date that is sorted by.
pub(crate) fn date_of(property: Property) -> Option<DateProperty> {
    match property {
        Property::CreationDate => Some(DateProperty::Creation),
        Property::LastUpdateDate => Some(DateProperty::LastUpdate),
        Property::LastRotateDate => Some(DateProperty::LastRotate),
        Property::DeletionDate => Some(DateProperty::Deletion),
        Property::ExpirationDate => Some(DateProperty::Expiration),
        Property::Id | Property::State | Property::Extractable | Property::Imported => None,
    }
}

fn sort_column(property: Property) -> &'static str {
    match property {
        Property::State => "k.state",
        Property::Extractable => "k.extractable",
        Property::Imported => "k.imported",
        Property::Id => "k.id",
        Property::CreationDate
        | Property::LastUpdateDate
        | Property::LastRotateDate
        | Property::DeletionDate
        | Property::ExpirationDate => date_of(property).map_or("k.id", date_column),
    }
}
