namespace ClaimCheck.Demo.Chapters;

/// <summary>Exports on a schedule.</summary>
internal static class ScheduleSteps
{
    public const string SchedulePath = "v1/schedules/every-few-seconds";

    private const string ScheduleBody = """
        { "cron": "0/3 * * * * ?", "timeZone": "Europe/Berlin",
          "export": { "dataset": "orders",
                      "criteria": { "since": { "after": "watermark", "initial": "2026-01-01T00:00:00Z" } } } }
        """;

    public static Step PutSchedule { get; } = new(
        "Put a schedule",
        "PUT /v1/schedules/{name}: every three seconds, and only orders since the watermark, up to which earlier runs have read.",
        PutScheduleAsync);

    private static async Task PutScheduleAsync(Tour tour, CancellationToken cancellationToken)
    {
        tour.Screen.Text(ScheduleBody);
        using var content = new StringContent(ScheduleBody, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        using var answer = await tour.Wire.PutAsync(new Uri(tour.Client.BaseAddress, SchedulePath), content, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Created)
            throw new DemoException($"PUT /{SchedulePath} answered {(int)answer.StatusCode}, not 201.");
        var schedule = (await answer.Content.ReadFromJsonAsync<Schedule>(ClaimCheckJson.Options, cancellationToken))!;
        tour.Screen.Line("The next ten times, in UTC:");
        tour.Screen.Line(string.Join("  ", schedule.NextFireTimes.Select(time => $"{time.UtcDateTime:HH:mm:ss}")));
        if (schedule.NextFireTimes.Count != 10)
            throw new DemoException($"There are {schedule.NextFireTimes.Count} of them.");
    }

    private static readonly TimeSpan RunsWithin = TimeSpan.FromSeconds(90);

    public static Step AwaitRuns { get; } = new(
        "Two of its runs",
        "GET /v1/schedules/{name}/runs is the history: each run with its criteria as they were resolved, and its export.",
        AwaitRunsAsync);

    private static async Task AwaitRunsAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        List<ScheduleRun> ready;
        do
        {
            if (watch.Elapsed > RunsWithin)
                throw new DemoException($"The schedule has not run twice within {RunsWithin.TotalSeconds} seconds.");
            await Task.Delay(100, cancellationToken);
            var runs = await tour.Wire.GetFromJsonAsync<Page<ScheduleRun>>(
                new Uri(tour.Client.BaseAddress, $"{SchedulePath}/runs"), ClaimCheckJson.Options, cancellationToken);
            ready = [.. runs!.Items.Where(run => run.ExportState == ExportState.Ready).OrderBy(run => run.FireTime).Take(2)];
        }
        while (ready.Count < 2);
        using var gone = await tour.Wire.DeleteAsync(new Uri(tour.Client.BaseAddress, SchedulePath), cancellationToken);
        if (gone.StatusCode != HttpStatusCode.NoContent)
            throw new DemoException($"DELETE /{SchedulePath} answered {(int)gone.StatusCode}, not 204.");

        var records = new List<long>();
        foreach (var run in ready)
        {
            var export = await tour.Client.GetExportAsync(run.ExportId!.Value, cancellationToken: cancellationToken);
            records.Add(export.Progress.Records);
            tour.Screen.Figure(
                $"{run.FireTime.UtcDateTime:HH:mm:ss} {run.State}",
                $"since {run.Criteria!.Value.GetProperty("since").GetString()}: {export.Progress.Records:N0} records");
        }
        if (records[0] == 0 || records[1] != 0)
            throw new DemoException("The second run has not continued where the first one ended.");
        tour.Screen.Good("the second run continued where the first one ended: nothing was new");
    }
}
