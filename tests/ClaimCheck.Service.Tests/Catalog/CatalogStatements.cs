using System.Collections.Concurrent;
using System.Diagnostics;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>What this process asks of one database from now on, as the driver traces it.</summary>
internal sealed class CatalogStatements : IDisposable
{
    private readonly ConcurrentQueue<string> texts = new();
    private readonly ActivityListener listener;

    public CatalogStatements(string database)
    {
        listener = new()
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                var tags = activity.TagObjects.ToDictionary(tag => tag.Key, tag => tag.Value as string, StringComparer.Ordinal);
                if ((tags.GetValueOrDefault("db.namespace") ?? tags.GetValueOrDefault("db.name"))
                    ?.Contains(database, StringComparison.Ordinal) == true
                    && (tags.GetValueOrDefault("db.query.text") ?? tags.GetValueOrDefault("db.statement")) is { } text)
                {
                    texts.Enqueue(text);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
    }

    /// <summary>How many statements hold this text.</summary>
    public int Count(string text) => texts.Count(statement => statement.Contains(text, StringComparison.Ordinal));

    public void Dispose() => listener.Dispose();
}
