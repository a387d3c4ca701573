//! QR codes, for a terminal.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use zeroize::Zeroizing;

/// A text as a QR code, two rows of modules a line, dark ones drawn; `None` if it is too long for one.
pub(crate) fn code(text: &str) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(QrCode::new(text).ok()?.render::<Dense1x2>().build()))
}
