//! The program: reads the command line, then serves or talks to a running service.

use std::io::Write;
use std::process::ExitCode;

use mock_key_protect::{Config, Invocation, Service, Signals, StartError, harden_process, run_client, start_log};

/// A command found no service, or was refused.
const NO_ANSWER: u8 = 1;
/// The service could not start as it was told to.
const NO_START: u8 = 2;

fn main() -> ExitCode {
    harden_process();
    let runtime = actix_web::rt::System::new();
    match Invocation::parse(std::env::args_os()) {
        Invocation::Serve(config) => match runtime.block_on(serve(*config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string(), NO_START),
        },
        Invocation::Client(client) => match runtime.block_on(run_client(client)) {
            Ok(text) => print(&format!("{text}\n")),
            Err(why) => fail(&why, NO_ANSWER),
        },
        Invocation::Print(text) => print(&text),
        Invocation::Wrong(why) => fail(&why, NO_START),
        _ => fail("this command is not known", NO_START),
    }
}

async fn serve(config: Config) -> Result<(), StartError> {
    start_log(&config);
    let signals = Signals::listen()?;
    let service = Service::start(config.clone()).await?;
    print(&service.banner(&config));
    service.run_until(signals).await;
    Ok(())
}

/// A reader that has gone away is no reason to fail.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    ExitCode::SUCCESS
}

fn fail(why: &str, code: u8) -> ExitCode {
    drop(writeln!(std::io::stderr(), "mock-key-protect: {why}"));
    ExitCode::from(code)
}
