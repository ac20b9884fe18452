namespace ClaimCheck.Demo.Chapters;

/// <summary>One step of a chapter: its explanation, and its action.</summary>
/// <param name="Title">A few words.</param>
/// <param name="Explanation">A line or two.</param>
/// <param name="RunAsync">Runs it, and throws where it fails.</param>
internal sealed record Step(string Title, string Explanation, Func<Tour, CancellationToken, Task> RunAsync);

/// <summary>A tour of one subject, from the start of a service of its own to its end.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">Its subject.</param>
/// <param name="Steps">In order.</param>
internal sealed record Chapter(string Name, string Title, IReadOnlyList<Step> Steps)
{
    public static Chapter Main { get; } = new(
        "main",
        "A claim check instead of a payload: export, event, lazy fetch, revocation",
        [
            ServiceSteps.StartService,
            ServiceSteps.ShowDatasets,
            ServiceSteps.AskForExport,
            ServiceSteps.WatchExport,
            ReadSteps.ReceiveEvent,
            ReadSteps.ReadRecords,
            ServiceSteps.RevokeBatch,
            ServiceSteps.ShowDeadLinks,
            ServiceSteps.SumUp,
        ]);

    public static Chapter Aws { get; } = new(
        "--aws",
        "The same through S3, SNS and SQS, with a consumer in a process of its own",
        [
            AwsSteps.StartAws,
            ServiceSteps.StartServiceOnAws,
            AwsSteps.StartConsumer,
            ServiceSteps.AskForExport,
            ServiceSteps.WatchExport,
            AwsSteps.ReceiveMessage,
            AwsSteps.ReadElsewhere,
            ServiceSteps.RevokeBatch,
            AwsSteps.HearRevocation,
            ServiceSteps.ShowDeadLinks,
            ServiceSteps.SumUp,
        ]);

    private static Chapter ByTheClock { get; } = new(
        "ar-1",
        "AR-1: on a schedule, found in staging, pushed to a folder",
        [ServiceSteps.StartServiceSmall, AdapterSteps.StartAdapterByTheClock, AdapterSteps.AwaitDeliveryByTheClock,
            AdapterSteps.ShowPlace, AdapterSteps.TakeAwayAtTheSource]);

    private static Chapter ByEvents { get; } = new(
        "ar-2",
        "AR-2: on BulkReady, loaded into the consumer's table, with a receipt",
        [ServiceSteps.StartServiceSmall, AdapterSteps.StartAdapterByEvents, ServiceSteps.AskForExport, ServiceSteps.WatchExport,
            AdapterSteps.AwaitLoad]);

    private static Chapter OnDemand { get; } = new(
        "ar-3",
        "AR-3: on demand, pushed on BulkReady, with a signed notice",
        [
            ServiceSteps.StartServiceSmall,
            AdapterSteps.StartConsumerSystem,
            AdapterSteps.StartAdapterOnDemand,
            AdapterSteps.AskTheAdapter,
            AdapterSteps.ReceiveNotice,
            AdapterSteps.ShowPlace,
            AdapterSteps.TakeAwayAtTheSourceWithNotice,
        ]);

    private static Chapter OnDemandWithoutEvents { get; } = new(
        "ar-4",
        "AR-4: on demand without events, polled on both sides",
        [
            ServiceSteps.StartServiceSmall,
            AdapterSteps.StartAdapterOnDemandWithoutEvents,
            AdapterSteps.AskTheAdapter,
            AdapterSteps.AwaitDeliveryPolling,
            AdapterSteps.ShowPlace,
            AdapterSteps.TakeAwayByTheConsumerSystem,
        ]);

    private static Chapter BulkJob { get; } = new(
        "bulk-job",
        "Bulk updates as a job: 202 and a Location, progress, an outcome for each item",
        [ServiceSteps.StartServiceSmall, JobSteps.PostSmallJob, JobSteps.PostLargeJob, JobSteps.ShowJobOutcomes]);

    private static Chapter Import { get; } = new(
        "import",
        "A record file becomes bulk jobs: mapped, batched, each record accounted for",
        [ServiceSteps.StartServiceSmall, ImportSteps.DropRecordFile, ImportSteps.RunImport, ImportSteps.ShowImport]);

    private static Chapter Schedule { get; } = new(
        "schedule",
        "Exports on a schedule, each continuing where the previous one ended",
        [ServiceSteps.StartServiceSmall, ScheduleSteps.PutSchedule, ScheduleSteps.AwaitRuns]);

    /// <summary>The chapters that are shown by default.</summary>
    public static IReadOnlyList<Chapter> Usual { get; } =
        [Main, ByTheClock, ByEvents, OnDemand, OnDemandWithoutEvents, BulkJob, Import, Schedule];

    private static IReadOnlyList<Chapter> All { get; } = [.. Usual, Aws];

    public static Chapter? Find(string name) => All.FirstOrDefault(chapter => chapter.Name == name);

    public static string Help() =>
        "Shows what ClaimCheck does, on a service and a database of its own, which are removed afterwards.\n\n"
        + $"  ./dev demo              {string.Join(", ", Usual.Select(chapter => chapter.Name))}\n"
        + "  ./dev demo CHAPTER...   these chapters:\n"
        + string.Concat(All.Select(chapter => $"      {chapter.Name,-12} {chapter.Title}\n"))
        + "  ./dev demo --help       this text\n\n"
        + "The exit code is 0, or 1 where a step fails; then the step's name and the path of the service's log are printed.";
}
