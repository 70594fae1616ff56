//! Pictures: cut, made smaller, put on top of each other, bound into a PDF.

use std::io::Cursor;

use image::{DynamicImage, ImageEncoder as _, RgbImage, codecs::jpeg::JpegEncoder, imageops};
use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref};
use png::{BitDepth, ColorType, Decoder, DecodingError, Encoder, EncodingError, Limits, Transformations};

/// Bytes that one picture may take once it is unpacked.
const MOST: usize = 1 << 30;
/// Quality of the pictures in a PDF (Pillow's default).
const QUALITY: u8 = 75;

/// Why a picture cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It is no PNG, or a broken one.
    #[error("not a PNG: {0}")]
    Read(#[from] DecodingError),
    /// It could not be written.
    #[error("a picture could not be written: {0}")]
    Write(#[from] EncodingError),
    /// It could not be written as JPEG.
    #[error("a picture could not be written: {0}")]
    Jpeg(#[from] image::ImageError),
    /// There is none, or their widths differ.
    #[error("{0}")]
    Shape(&'static str),
}

type Result<T> = std::result::Result<T, PictureError>;

/// Width and height of a PNG.
pub fn size(png: &[u8]) -> Option<(u32, u32)> {
    let reader = rows(png).ok()?;
    Some((reader.info().width, reader.info().height))
}

/// Pictures of one width on top of each other, row by row: no more than one row of each is unpacked.
pub fn stack(pieces: &[Vec<u8>]) -> Result<Vec<u8>> {
    let sizes: Option<Vec<_>> = pieces.iter().map(|piece| size(piece)).collect();
    let sizes = sizes.ok_or(PictureError::Shape("a piece is not a PNG"))?;
    let Some((width, _)) = sizes.first().copied() else { return Err(PictureError::Shape("no pieces")) };
    if sizes.iter().any(|(w, _)| *w != width) {
        return Err(PictureError::Shape("the pieces have different widths"));
    }
    let height = sizes.iter().map(|(_, h)| h).sum();
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    for piece in pieces {
        each_row(piece, u32::MAX, |row| {
            std::io::Write::write_all(&mut stream, row).map_err(|e| PictureError::Write(e.into()))
        })?;
    }
    stream.finish()?;
    writer.finish()?;
    Ok(out)
}

/// The upper part of a picture in the proportions of `size`, in that size (`superset.utils.screenshots:resize_image`).
/// What is not high enough ends in white.
pub fn thumbnail(png: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>> {
    let (full, _) = size(png).ok_or(PictureError::Shape("not a PNG"))?;
    let rows = u64::from(full) * u64::from(height) / u64::from(width.max(1));
    let rows = u32::try_from(rows).unwrap_or(u32::MAX).max(1);
    let most = MOST / 3 / full.max(1) as usize;
    if rows as usize > most || u64::from(width) * u64::from(height) > MOST as u64 / 3 {
        return Err(PictureError::Shape("these proportions are out of bounds"));
    }
    let mut bytes = Vec::with_capacity(full as usize * 3 * rows as usize);
    each_row(png, rows, |row| {
        bytes.extend_from_slice(row);
        Ok(())
    })?;
    bytes.resize(full as usize * 3 * rows as usize, 0xff);
    let picture = RgbImage::from_raw(full, rows, bytes).ok_or(PictureError::Shape("rows are missing"))?;
    let picture = imageops::resize(&picture, width, height, imageops::FilterType::Lanczos3);
    let mut out = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture).write_to(&mut out, image::ImageFormat::Png)?;
    Ok(out.into_inner())
}

/// A PDF with a page for each picture, a point for each pixel, as Pillow makes it.
pub fn pdf(pictures: &[Vec<u8>]) -> Result<Vec<u8>> {
    if pictures.is_empty() {
        return Err(PictureError::Shape("a document without pictures"));
    }
    let (catalog, tree) = (Ref::new(1), Ref::new(2));
    let mut next = Ref::new(3);
    let pages: Vec<[Ref; 3]> = pictures.iter().map(|_| [next.bump(), next.bump(), next.bump()]).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(pages.iter().map(|[page, ..]| *page)).count(count);
    for (png, [page, picture, content]) in pictures.iter().zip(&pages) {
        let (jpeg, (width, height)) = jpeg(png)?;
        #[expect(clippy::cast_precision_loss, reason = "pictures are smaller than 16 million pixels a side")]
        let (right, top) = (width as f32, height as f32);
        let name = Name(b"image");
        let mut sheet = pdf.page(*page);
        sheet.media_box(Rect::new(0.0, 0.0, right, top)).parent(tree).contents(*content);
        sheet.resources().x_objects().pair(name, *picture);
        sheet.finish();
        let mut object = pdf.image_xobject(*picture, &jpeg);
        object.filter(Filter::DctDecode);
        object
            .width(i32::try_from(width).unwrap_or(i32::MAX))
            .height(i32::try_from(height).unwrap_or(i32::MAX));
        object.color_space().device_rgb();
        object.bits_per_component(8);
        object.finish();
        let mut drawing = Content::new();
        drawing.save_state().transform([right, 0.0, 0.0, top, 0.0, 0.0]).x_object(name).restore_state();
        pdf.stream(*content, &drawing.finish());
    }
    Ok(pdf.finish())
}

fn jpeg(png: &[u8]) -> Result<(Vec<u8>, (u32, u32))> {
    let (width, height) = size(png).ok_or(PictureError::Shape("not a PNG"))?;
    // more does not fit into a JPEG
    let height = height.min(65_535);
    let mut rgb = Vec::new();
    each_row(png, height, |row| {
        rgb.extend_from_slice(row);
        Ok(())
    })?;
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY).write_image(
        &rgb,
        width,
        height,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok((out, (width, height)))
}

fn rows(png: &[u8]) -> Result<png::Reader<Cursor<&[u8]>>> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(png), Limits { bytes: MOST });
    decoder.set_transformations(Transformations::normalize_to_color8());
    Ok(decoder.read_info()?)
}

/// The first rows of a picture as RGB; what is transparent is white.
fn each_row(png: &[u8], most: u32, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut reader = rows(png)?;
    let (color, _) = reader.output_color_type();
    let mut rgb = Vec::new();
    let mut left = most;
    while left > 0
        && let Some(row) = reader.next_row()?
    {
        left -= 1;
        let data = row.data();
        if color == ColorType::Rgb {
            take(data)?;
            continue;
        }
        rgb.clear();
        match color {
            ColorType::Rgba => {
                for [r, g, b, a] in data.as_chunks::<4>().0 {
                    rgb.extend([over_white(*r, *a), over_white(*g, *a), over_white(*b, *a)]);
                }
            }
            ColorType::GrayscaleAlpha => {
                for [gray, a] in data.as_chunks::<2>().0 {
                    rgb.extend([over_white(*gray, *a); 3]);
                }
            }
            _ => data.iter().for_each(|gray| rgb.extend([*gray; 3])),
        }
        take(&rgb)?;
    }
    Ok(())
}

fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u16::from(value), u16::from(alpha));
    u8::try_from((value * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
        let picture = RgbImage::from_pixel(width, height, image::Rgb(color));
        let mut out = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(picture).write_to(&mut out, image::ImageFormat::Png).unwrap();
        out.into_inner()
    }

    fn open(png: &[u8]) -> RgbImage {
        image::load_from_memory(png).unwrap().to_rgb8()
    }

    #[test]
    fn pieces_are_put_on_top_of_each_other() {
        let stacked = open(&stack(&[plain(4, 3, [255, 0, 0]), plain(4, 2, [0, 255, 0])]).unwrap());
        assert_eq!(stacked.dimensions(), (4, 5));
        assert_eq!((stacked.get_pixel(3, 2).0, stacked.get_pixel(0, 3).0), ([255, 0, 0], [0, 255, 0]));
        assert!(stack(&[]).is_err() && stack(&[plain(4, 3, [0; 3]), plain(5, 3, [0; 3])]).is_err());
        assert!(stack(&[b"not a picture".to_vec()]).is_err());
    }

    #[test]
    fn a_thumbnail_is_the_upper_part() {
        let long = stack(&[plain(80, 60, [255, 0, 0]), plain(80, 600, [0, 255, 0])]).unwrap();
        let thumb = open(&thumbnail(&long, (40, 30)).unwrap());
        assert_eq!(thumb.dimensions(), (40, 30));
        assert!(thumb.pixels().all(|p| p.0 == [255, 0, 0]), "{:?}", thumb.get_pixel(0, 29));
        let short = open(&thumbnail(&plain(80, 30, [0, 0, 255]), (40, 30)).unwrap());
        assert_eq!((short.get_pixel(20, 2).0, short.get_pixel(20, 28).0), ([0, 0, 255], [255; 3]));
        assert!(thumbnail(b"GIF89a", (4, 3)).is_err() && thumbnail(&long, (1, u32::MAX)).is_err());
    }

    #[test]
    fn a_document_has_a_page_for_each_picture() {
        let document = pdf(&[plain(40, 30, [9; 3]), plain(20, 50, [9; 3])]).unwrap();
        let text = String::from_utf8_lossy(&document);
        assert!(text.starts_with("%PDF-1."));
        for part in ["/MediaBox [0 0 40 30]", "/MediaBox [0 0 20 50]", "/Filter /DCTDecode", "/Count 2"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(pdf(&[]).is_err());
    }

    #[test]
    fn what_is_transparent_is_white() {
        let picture = image::RgbaImage::from_pixel(2, 2, image::Rgba([0, 0, 0, 0]));
        let mut out = Cursor::new(Vec::new());
        DynamicImage::ImageRgba8(picture).write_to(&mut out, image::ImageFormat::Png).unwrap();
        assert_eq!(open(&stack(&[out.into_inner()]).unwrap()).get_pixel(0, 0).0, [255; 3]);
    }
}
