//! Ways for records to go up and for the word that they are there to come back.

use std::rc::Rc;

use benches::{CELLAR, HUMIDITY, Plain, Record, TEMPERATURE, records};
use embedded_io_adapters::tokio_1::FromTokio;
use sensock_device::{Boot, Buffers, Key, Node, Outbox, TokioClock};
use sensock_server::{AnyDevice, History, Server, Store, listen};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// One way.
pub struct Way {
    /// What it is.
    pub name: &'static str,
    /// Sends so many records, and returns when the other end has them.
    pub go: Box<dyn FnMut(usize)>,
}

/// A device and a server that keeps what it gets in this store.
pub fn sensock<S: Store + History>(name: &'static str, runtime: &Rc<Runtime>, store: S) -> Way {
    let runtime = Rc::clone(runtime);
    // For the life of the program, as a device's are.
    let outbox: &'static Outbox<{ 64 << 10 }> = Box::leak(Box::default());
    let buffers = Box::leak(Box::new(Buffers::<4096>::new()));
    let node = Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot: Boot::Number(1) };
    let device = runtime.block_on(async {
        let clock = Box::leak(Box::new(TokioClock::new()));
        let (server, events) = Server::builder(store, AnyDevice).start().await.unwrap();
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { server.serve(listener, std::future::pending()).await });
        drop(events);
        let (device, mut runner) = outbox.start(&node, &*clock, buffers);
        tokio::spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (reader, writer) = stream.into_split();
            let ended = runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
            panic!("the connection ended: {ended}");
        });
        device
    });
    let records = records(1_000);
    let mut at = records.into_iter().cycle();
    let go = move |count| {
        runtime.block_on(async {
            for Plain { temperature, humidity, .. } in at.by_ref().take(count) {
                device.record(&[TEMPERATURE.is(temperature), HUMIDITY.is(humidity)]).unwrap();
            }
            device.drain().await;
        });
    };
    tried(Way { name, go: Box::new(go) })
}

/// The same bytes, thrown back by twenty lines of tokio: what a kernel and a runtime cost without anything else.
pub fn echo(runtime: &Rc<Runtime>) -> Way {
    let runtime = Rc::clone(runtime);
    let mut stream = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut buffer = vec![0; 16 << 10];
            while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..len]).await.unwrap();
            }
        });
        TcpStream::connect(address).await.unwrap()
    });
    stream.set_nodelay(true).unwrap();
    let records: Vec<Record> = records(1_000).into_iter().map(Record::from).collect();
    let mut frame = vec![0; 16 << 10];
    let go = move |count| {
        let mut device = benches::Device::new(2);
        let mut len = device.frame(&records[..count], &mut frame).unwrap();
        if count == 1 {
            // As on a connection that is under way: the tick is relative, the shape is known.
            len = device.frame(&records[1..2], &mut frame).unwrap();
        }
        runtime.block_on(async {
            stream.write_all(&frame[..len]).await.unwrap();
            stream.read_exact(&mut frame[..len]).await.unwrap();
        });
    };
    tried(Way { name: "echo of the same frames", go: Box::new(go) })
}

fn tried(mut way: Way) -> Way {
    (way.go)(1);
    way
}
