//! One record at a time.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use prost::Message;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{Packet, Publish};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

use super::make::{joined, slices, streams, tried, vectors};
use super::{TOPIC, copy};
use crate::case::Case;
use crate::ours::{Device, Record, Server};
use crate::records::{Plain, Row};

/// Bytes that any codec's record has room in.
const ROOM: usize = 256;

/// Every codec, with these records one by one: each encoded into the same buffer, each decoded from where it lies.
pub fn one(records: &[Plain]) -> Vec<Case> {
    let rows: Vec<Row> = records.iter().copied().map(Row::from).collect();
    let protos = rows.iter().map(Proto::from).collect();
    let mut codec = LengthDelimitedCodec::new();
    let mut reader = codec.clone();
    vec![
        sensock(records, &rows),
        sensock_from_numbers(records, &rows),
        slices("copy by hand", ROOM, rows.clone(), copy::put, copy::take),
        slices(
            "postcard",
            ROOM,
            rows.clone(),
            |r, out| postcard::to_slice(r, out).unwrap().len(),
            |b| postcard::from_bytes(b).unwrap(),
        ),
        streams(
            "postcard, LengthDelimitedCodec",
            rows.clone(),
            move |r, out| {
                let mut body = [0; 32];
                let body = Bytes::copy_from_slice(postcard::to_slice(r, &mut body).unwrap());
                codec.encode(body, out).unwrap();
            },
            move |stream| postcard::from_bytes(&reader.decode(stream).unwrap().unwrap()).unwrap(),
        ),
        slices(
            "prost",
            ROOM,
            protos,
            |r: &Proto, out| {
                let mut room = &mut out[..];
                r.encode_length_delimited(&mut room).unwrap();
                let left = room.len();
                out.len() - left
            },
            |b| Proto::decode_length_delimited(b).unwrap(),
        ),
        streams(
            "MQTT 3.1.1, postcard",
            rows.clone(),
            |r, out| publish(postcard::to_slice(r, &mut [0; 32]).unwrap().to_vec(), out),
            |stream| postcard::from_bytes(&payload(stream)).unwrap(),
        ),
        vectors(
            "serde_json",
            ROOM,
            rows.clone(),
            |r, out| serde_json::to_writer(out, r).unwrap(),
            |b| serde_json::from_slice(b).unwrap(),
        ),
        streams(
            "MQTT 3.1.1, serde_json",
            rows,
            |r, out| publish(serde_json::to_vec(r).unwrap(), out),
            |stream| serde_json::from_slice(&payload(stream)).unwrap(),
        ),
    ]
}

fn sensock(records: &[Plain], rows: &[Row]) -> Case {
    let records: Vec<Record> = records.iter().copied().map(Record::from).collect();
    let (device, mut out) = (Device::new(2), [0; 64]);
    let frames = records.iter().scan(device.clone(), |device, r| {
        let len = device.frame(std::slice::from_ref(r), &mut out).unwrap();
        Some(out[..len].to_vec())
    });
    let (stream, ends) = joined(frames);
    let (bytes, count) = (stream.len(), records.len());
    let decode = {
        let rows = rows.to_vec();
        move || {
            let mut server = Server::new();
            let mut row = [Row::default()];
            let mut from = 0;
            for (end, row_was) in ends.iter().zip(&rows) {
                server.rows(black_box(&stream[from..*end]), &mut row).unwrap();
                debug_assert_eq!(row[0], *row_was);
                black_box(&row);
                from = *end;
            }
        }
    };
    let encode = move || {
        let (mut device, mut out) = (device.clone(), [0; 64]);
        for r in &records {
            black_box(device.frame(std::slice::from_ref(black_box(r)), &mut out).unwrap());
        }
    };
    tried(Case { name: "sensock", bytes, records: count, encode: Box::new(encode), decode: Box::new(decode) })
}

/// As `sensock`, but the numbers are still floating point: rounded to the quantity's scale and checked on the way.
fn sensock_from_numbers(records: &[Plain], rows: &[Row]) -> Case {
    let case = sensock(records, rows);
    let (records, device) = (records.to_vec(), Device::new(2));
    let encode = move || {
        let (mut device, mut out) = (device.clone(), [0; 64]);
        for r in &records {
            black_box(device.frame(&[Record::from(*black_box(r))], &mut out).unwrap());
        }
    };
    Case { name: "sensock, from f32", encode: Box::new(encode), ..case }
}

fn publish(payload: Vec<u8>, out: &mut BytesMut) {
    let topic = Bytes::from_static(TOPIC.as_bytes());
    let payload = Bytes::from(payload);
    let packet = Publish { dup: false, qos: QoS::AtLeastOnce, retain: false, topic, pkid: 7, payload };
    packet.write(out).unwrap();
}

fn payload(stream: &mut BytesMut) -> Bytes {
    match Packet::read(stream, 1_024).unwrap() {
        Packet::Publish(packet) => packet.payload,
        other => panic!("{other:?}"),
    }
}

/// The row as a protobuf message.
#[derive(Clone, PartialEq, Message)]
struct Proto {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(uint64, tag = "2")]
    ts: u64,
    #[prost(float, tag = "3")]
    temperature: f32,
    #[prost(float, tag = "4")]
    humidity: f32,
}

impl From<&Row> for Proto {
    fn from(r: &Row) -> Proto {
        Proto { id: r.id.into(), ts: r.ts, temperature: r.temperature, humidity: r.humidity }
    }
}
