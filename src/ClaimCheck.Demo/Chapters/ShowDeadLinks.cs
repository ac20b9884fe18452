using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ShowDeadLinks
{
    public static Step Step { get; } = new(
        "Check that the links are dead",
        "The old links, the claim URL, the library and the feed all show it.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var (ready, cursor, _) = tour.Known<ReadyEvent>();
        await DeadAsync(tour, "the event's link", ready.Location!, cancellationToken);
        await DeadAsync(tour, "a file's link", tour.Known<Manifest>().Files[0].Url, cancellationToken);
        await ClaimUrlAsync(tour, ready.BatchId, cancellationToken);
        await LibraryAsync(tour, ready, cancellationToken);
        await FeedWatch.UntilAsync(tour.Client, cursor, EventTypes.BulkRevoked, ready.BatchId, cancellationToken);
        tour.Screen.Good("the feed sends BulkRevoked to all its readers: stop, and discard what you fetched");
    }

    private static async Task DeadAsync(Tour tour, string what, Link link, CancellationToken cancellationToken)
    {
        using var answer = await tour.Wire.GetAsync(new Uri(link.Reveal()), cancellationToken);
        if (answer.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.Gone))
            throw new DemoException($"{what} still answers {(int)answer.StatusCode}.");
        // S3 tells the reason in XML.
        var text = answer.Content.Headers.ContentType?.MediaType?.EndsWith("/xml", StringComparison.Ordinal) == true
            ? await answer.Content.ReadAsStringAsync(cancellationToken)
            : "";
        var code = text.Split("<Code>") is [_, var after, ..] ? $" {after.Split('<')[0]}" : "";
        tour.Screen.Good($"{what} ({ShownLinks.Of(link)}) answers {(int)answer.StatusCode}{code}");
    }

    private static async Task ClaimUrlAsync(Tour tour, BatchId batch, CancellationToken cancellationToken)
    {
        using var answer = await tour.Wire.GetAsync(new Uri(tour.Client.BaseAddress, $"v1/batches/{batch}/manifest"), cancellationToken);
        var problem = answer.IsSuccessStatusCode
            ? null
            : await answer.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Gone || problem?.Code != ProblemCodes.BatchRevoked)
            throw new DemoException($"The claim URL answers {(int)answer.StatusCode} {problem?.Code}.");
        tour.Screen.Good($"the claim URL answers 410, {problem.Code}");
    }

    private static async Task LibraryAsync(Tour tour, BulkReadyData ready, CancellationToken cancellationToken)
    {
        using var reader = new BatchReader(tour.Client);
        try
        {
            await foreach (var _ in reader.ReadAsync<Order>(ready, cancellationToken))
                throw new DemoException("The library still returns records.");
        }
        catch (BatchRevokedException e)
        {
            tour.Screen.Good($"the library throws {e.GetType().Name}, which is not transient: it returns nothing");
            return;
        }
        throw new DemoException("The library treated the revoked batch as an empty one.");
    }
}
