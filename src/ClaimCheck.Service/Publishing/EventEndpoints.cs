using System.Net.ServerSentEvents;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Publishing;

/// <summary><c>GET /v1/events</c>: the feed as pages that may wait, or as a stream of server-sent events.</summary>
internal static class EventEndpoints
{
    private const string Call = "events";
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public static IEndpointRouteBuilder MapEvents(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/v1/events", [HttpMethods.Get, HttpMethods.Head], Read).WithName("ReadEvents").WithTags("Events")
            .WithSummary("The event feed, oldest first: a page (?after=&wait=&limit=), or text/event-stream.")
            .ReadsQuery("wait", "How many seconds to wait for an event, 0 to 60.")
            .ReadsQuery("limit", "How many at most, 1 to 1000; 100 by default.")
            .ReadsHeader("Last-Event-ID", "For the stream: the id of the last event that was read.")
            .Produces<Page<BulkEvent>>().Produces(200, contentType: "text/event-stream").ProducesProblems(400, 401, 410);
        return routes;
    }

    private static async Task<IResult> Read(
        HttpContext context, string? after, Caller caller, EventFeed feed, TimeProvider time, IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken)
    {
        var isStream = context.Request.GetTypedHeaders().Accept.Any(type => type.MediaType == "text/event-stream");
        if (isStream && context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last)
            after = last;
        FeedPlace? cursor = null;
        if (!string.IsNullOrEmpty(after))
        {
            cursor = FeedPlace.Read(after);
            if (cursor is null)
                return Problems.Of(ProblemCodes.InvalidCursor);
        }

        if (await feed.FindAsync(cursor, cancellationToken) is not { } place)
            return Problems.Of(ProblemCodes.CursorExpired);
        if (Paging.Read(context.Request, Call, out var badPage) is not { } paging)
            return badPage!;
        if (Waiting.Query(context.Request, out var badWait) is not { } wait)
            return badWait!;
        if (isStream)
            return TypedResults.ServerSentEvents(Stream(context, feed, caller, place, time, lifetime));

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        var began = time.GetTimestamp();
        var head = place.Position; // or beyond: then the first wait ends at once, and reports it
        while (true)
        {
            using var moved = feed.Beyond(head);
            if (await feed.ReadAsync(caller, place, paging.Limit, cancellationToken) is not var (events, next))
                return Problems.Of(ProblemCodes.CursorExpired);
            var left = wait - time.GetElapsedTime(began);
            if (events.Count > 0 || left <= TimeSpan.Zero || stopping.IsCancellationRequested)
                return TypedResults.Ok(new Page<BulkEvent>([.. events.Select(positioned => positioned.Event)], next.ToString()));

            // When the service stops the answer is an empty page.
            if (await moved.WithinAsync(left, time, stopping.Token))
                head = await moved.Happened;
        }
    }

    // https://html.spec.whatwg.org/multipage/server-sent-events.html The framework writes each event at once, and nothing in
    // between: comments are written here, while it waits for the next event.
    private static async IAsyncEnumerable<SseItem<BulkEvent>> Stream(
        HttpContext context, EventFeed feed, Caller caller, FeedPlace place, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        var response = context.Response;
        // The framework sets more headers: no-cache, and an encoding of identity. The feed has the headers of all answers.
        response.Headers.CacheControl = "no-store";
        response.Headers.Remove(HeaderNames.Pragma);
        response.Headers.Remove(HeaderNames.ContentEncoding);
        if (HttpMethods.IsHead(context.Request.Method))
            yield break;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        await response.WriteAsync("retry: 2000\n\n", context.RequestAborted);
        // It ends by itself where the cursor has expired: a reader that reconnects with the last id gets 410.
        await foreach (var events in feed.FollowAsync(caller, place, KeepAlive, time, ended.Token))
        {
            if (events.Count == 0)
                await response.WriteAsync(": still here\n\n", context.RequestAborted);
            foreach (var positioned in events)
                yield return new(positioned.Event) { EventId = positioned.Place.ToString() };
        }
    }
}
