using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Demo.Chapters;

internal static class PutSchedule
{
    public const string Path = "v1/schedules/every-few-seconds";

    private const string Body = """
        { "cron": "0/3 * * * * ?", "timeZone": "Europe/Berlin",
          "export": { "dataset": "orders",
                      "criteria": { "since": { "after": "watermark", "initial": "2026-01-01T00:00:00Z" } } } }
        """;

    public static Step Step { get; } = new(
        "Put a schedule",
        "PUT /v1/schedules/{name}: every three seconds, and only orders since the watermark, up to which earlier runs have read.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        tour.Screen.Text(Body);
        using var content = new StringContent(Body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        using var answer = await tour.Wire.PutAsync(new Uri(tour.Client.BaseAddress, Path), content, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Created)
            throw new DemoException($"PUT /{Path} answered {(int)answer.StatusCode}, not 201.");
        var schedule = (await answer.Content.ReadFromJsonAsync<Schedule>(ClaimCheckJson.Options, cancellationToken))!;
        tour.Screen.Line("The next ten times, in UTC:");
        tour.Screen.Line(string.Join("  ", schedule.NextFireTimes.Select(time => $"{time.UtcDateTime:HH:mm:ss}")));
        if (schedule.NextFireTimes.Count != 10)
            throw new DemoException($"There are {schedule.NextFireTimes.Count} of them.");
    }
}
