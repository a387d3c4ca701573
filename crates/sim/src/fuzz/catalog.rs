//! Catalogues and bodies: any bytes.

use sensock::catalog::{Catalog, CatalogView, Shape, Values, fnv1a};

use super::input::Input;

/// What passes as a catalogue is one: written again from what was read it has the same bytes. Bodies of any shape are read or refused.
///
/// # Panics
/// If not.
pub fn catalog(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.flag() {
        let numbers: Vec<u8> = (0..input.below(6)).map(|_| input.byte() % 10).collect();
        if let Some(shape) = Shape::from_numbers(&numbers) {
            body(shape, input.rest());
        }
        return;
    }
    let Ok(view) = CatalogView::new(input.rest()) else { return };
    let (quantities, commands): (Vec<_>, Vec<_>) = (view.quantities().collect(), view.commands().collect());
    let (settings, asks): (Vec<_>, Vec<_>) = (view.settings().collect(), view.asks().collect());
    let again = Catalog::new(view.firmware(), &quantities, &commands, &settings).asks(&asks);
    let mut copy = vec![0; again.len()];
    assert_eq!(again.copy_at(0, &mut copy), copy.len());
    assert_eq!(copy, view.bytes(), "two byte strings mean one catalogue");
    assert_eq!(again.hash(), fnv1a(view.bytes()));
    for q in &quantities {
        assert_eq!(again.quantity(q.id), Some(q));
    }
}

fn body(shape: Shape, bytes: &[u8]) {
    if let Some(values) = Values::decode(shape, bytes) {
        assert_eq!(values.iter().count(), shape.scalars().count());
        // The longest scalar is a single written out: some 50 characters.
        assert!(values.to_string().len() <= 4 * 64 + 8 * bytes.len());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mut out = [0; 128];
        if let Ok(n) = Values::encode_text(shape, text, &mut out) {
            assert!(
                Values::decode(shape, &out[..n]).is_some(),
                "{shape} {text:?}: written, but not readable"
            );
        }
    }
}
