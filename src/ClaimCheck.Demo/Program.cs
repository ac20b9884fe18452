using System.Runtime.InteropServices;
using ClaimCheck.Demo;
using ClaimCheck.Demo.Chapters;

// Not in the help: how the demo starts its consumer.
if (args is [ConsumeCommand.Verb, .. var rest])
    return await ConsumeCommand.RunAsync(rest);

if (args.Any(arg => arg is "-h" or "--help" or "help"))
{
    Console.WriteLine(Chapter.Help());
    return 0;
}
if (args.FirstOrDefault(arg => Chapter.Find(arg) is null) is { } unknown)
{
    Console.Error.WriteLine($"The demo has no chapter '{unknown}'.");
    Console.Error.WriteLine(Chapter.Help());
    return 2;
}
var chapters = args.Length == 0 ? Chapter.Usual : args.Select(arg => Chapter.Find(arg)!).ToArray();

// Ctrl-C and TERM end the tour; the service, its database and everything else that was started are stopped on the way out.
using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

var screen = new DemoScreen();
var watch = Stopwatch.StartNew();
foreach (var chapter in chapters)
{
    await using var tour = new Tour(screen);
    if (await tour.RunAsync(chapter, stop.Token) is var exit and not 0)
        return exit;
}
screen.End(
    $"Shown in {watch.Elapsed.TotalSeconds:0} s. ./dev demo --help lists all chapters; ./dev up starts a service of your own.");
return 0;
