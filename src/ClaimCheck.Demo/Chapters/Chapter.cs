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
            StartService.Step,
            ShowDatasets.Step,
            AskForExport.Step,
            WatchExport.Step,
            ReceiveEvent.Step,
            ReadRecords.Step,
            RevokeBatch.Step,
            ShowDeadLinks.Step,
            SumUp.Step,
        ]);

    public static Chapter Aws { get; } = new(
        "--aws",
        "The same through S3, SNS and SQS, with a consumer in a process of its own",
        [
            StartAws.Step,
            StartService.OnAws,
            StartConsumer.Step,
            AskForExport.Step,
            WatchExport.Step,
            ReceiveMessage.Step,
            ReadElsewhere.Step,
            RevokeBatch.Step,
            HearRevocation.Step,
            ShowDeadLinks.Step,
            SumUp.Step,
        ]);

    private static Chapter ByTheClock { get; } = new(
        "ar-1",
        "AR-1: on a schedule, found in staging, pushed to a folder",
        [StartService.Small, StartAdapter.ByTheClock, AwaitDelivery.ByTheClock, ShowPlace.Step, TakeAway.AtTheSource]);

    private static Chapter ByEvents { get; } = new(
        "ar-2",
        "AR-2: on BulkReady, loaded into the consumer's table, with a receipt",
        [StartService.Small, StartAdapter.ByEvents, AskForExport.Step, WatchExport.Step, AwaitLoad.Step]);

    private static Chapter OnDemand { get; } = new(
        "ar-3",
        "AR-3: on demand, pushed on BulkReady, with a signed notice",
        [
            StartService.Small,
            ReceiveNotice.StartStep,
            StartAdapter.OnDemand,
            AskTheAdapter.Step,
            ReceiveNotice.Step,
            ShowPlace.Step,
            TakeAway.AtTheSourceWithNotice,
        ]);

    private static Chapter OnDemandWithoutEvents { get; } = new(
        "ar-4",
        "AR-4: on demand without events, polled on both sides",
        [
            StartService.Small,
            StartAdapter.OnDemandWithoutEvents,
            AskTheAdapter.Step,
            AwaitDelivery.Polling,
            ShowPlace.Step,
            TakeAway.ByTheConsumerSystem,
        ]);

    private static Chapter BulkJob { get; } = new(
        "bulk-job",
        "Bulk updates as a job: 202 and a Location, progress, an outcome for each item",
        [StartService.Small, PostSmallJob.Step, PostLargeJob.Step, ShowJobOutcomes.Step]);

    private static Chapter Import { get; } = new(
        "import",
        "A record file becomes bulk jobs: mapped, batched, each record accounted for",
        [StartService.Small, DropRecordFile.Step, RunImport.Step, ShowImport.Step]);

    private static Chapter Schedule { get; } = new(
        "schedule",
        "Exports on a schedule, each continuing where the previous one ended",
        [StartService.Small, PutSchedule.Step, AwaitRuns.Step]);

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
