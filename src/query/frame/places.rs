//! Which labels were there before.

use std::collections::HashMap;

use super::Label;

/// The places of labels in the order in which they first came; looking one up costs the same however many there are.
#[derive(Debug, Default)]
pub struct LabelPositions {
    by_text: HashMap<String, Vec<(Label, usize)>>,
    count: usize,
}

impl LabelPositions {
    /// The place of a label that was there before; a new one gets the next place.
    pub fn find_or_add(&mut self, label: &Label) -> Option<usize> {
        // labels of different types may look the same
        let alike = self.by_text.entry(label.display()).or_default();
        if let Some((_, place)) = alike.iter().find(|(other, _)| other == label) {
            return Some(*place);
        }
        alike.push((label.clone(), self.count));
        self.count += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use infra::engines::column::Scalar;

    use super::*;

    #[test]
    fn equal_labels_share_a_place() {
        let mut places = LabelPositions::default();
        let labels = [Label::from("1"), Label::Flat(Scalar::Int(1)), Label::from("1"), Label::from("a")];
        let found: Vec<_> = labels.iter().map(|label| places.find_or_add(label)).collect();
        assert_eq!(found, [None, None, Some(0), None]);
        assert_eq!(places.find_or_add(&Label::from("a")), Some(2));
    }
}
