using System.Runtime.CompilerServices;

namespace ClaimCheck.Cli.Commands;

/// <summary>The event feed.</summary>
internal static class EventsCommand
{
    public static Command Make()
    {
        var follow = new Option<bool>("--follow", "-f")
        {
            Description = "Wait for new events, until interrupted; outages are waited out.",
        };
        var after = new Option<string?>("--after")
        {
            Description = "Continue from the cursor of the last event seen; by default from the oldest event that is kept.",
            HelpName = "CURSOR",
        };
        var type = new Option<string[]>("--type")
        {
            Description = $"Only this type ({string.Join(", ", EventTypes.All)}); may be repeated.",
            HelpName = "TYPE",
        };
        type.AcceptOnlyFromAmong([.. EventTypes.All]);
        var showLinks = new Option<bool>("--show-links")
        {
            Description = "With --json: complete links. Everybody who sees one can read the data until it expires or is revoked, "
                + "so they are redacted otherwise; 'claimcheck download' needs none.",
        };
        return new Command(
            "events", "Prints the event feed, oldest first; with --json one line for each: { \"cursor\", \"event\" }.")
            .With(follow, after, type, showLinks)
            .Runs(async (session, cancellationToken) =>
            {
                var wanted =
                    session.Get(type) is { Length: > 0 } types ? types.Select(EventTypes.ToCloudEventType).ToHashSet() : null;
                var cursor = session.Get(after);
                try
                {
                    while (true)
                    {
                        try
                        {
                            // Existing events come first, also when following: an unreachable service is then reported, not
                            // waited for.
                            await foreach (var next in KeptAsync(session.Client, cursor, cancellationToken))
                                Take(next);
                            if (!session.Get(follow))
                                return ExitCodes.Ok;
                            await foreach (var next in session.Client.FollowEventsAsync(cursor, cancellationToken))
                                Take(next);
                        }
                        catch (CursorExpiredException) when (cursor is not null)
                        {
                            session.Screen.Hint("The events after the cursor were deleted from the feed, or its catalog was "
                                + "restored: beginning with the oldest event that is kept.");
                            cursor = null;
                        }
                    }
                }
                catch (OperationCanceledException)
                {
                    if (cursor is not null)
                        session.Screen.Hint($"Interrupted. 'claimcheck events --follow --after {cursor}' continues from here.");
                    throw;
                }

                void Take(FeedEvent next)
                {
                    cursor = next.Cursor;
                    if (wanted?.Contains(next.Event.Type) ?? true)
                        Show(session.Screen, next, session.Get(showLinks));
                }
            });
    }

    // Up to the newest.
    private static async IAsyncEnumerable<FeedEvent> KeptAsync(
        ClaimCheckClient client, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var cursor = after; ;)
        {
            var page = await client.ReadEventsAsync(cursor, cancellationToken: cancellationToken);
            if (page.Items.Count == 0)
                yield break;
            var next = page.NextCursor ?? cursor;
            for (var i = 0; i < page.Items.Count; i++)
                yield return new(page.Items[i], i == page.Items.Count - 1 ? next : cursor);
            cursor = next;
        }
    }

    private static void Show(Screen screen, FeedEvent next, bool showLinks)
    {
        screen.Document(new JsonObject { ["cursor"] = next.Cursor, ["event"] = Redaction.ToJson(next.Event, showLinks) });
        var data = next.Event.Data;
        screen.Line(
            $"{Amounts.Time(next.Event.Time)}  "
            + $"{EventTypes.FromCloudEventType(next.Event.Type) ?? next.Event.Type,-13}  {next.Event.Subject}"
            + Field("dataset", "") + Field("records", " rows") + Field("reason", ""));

        string Field(string name, string unit) =>
            data.ValueKind == System.Text.Json.JsonValueKind.Object && data.TryGetProperty(name, out var value)
            && value.ValueKind is not System.Text.Json.JsonValueKind.Null
                ? $"  {value}{unit}"
                : "";
    }
}
