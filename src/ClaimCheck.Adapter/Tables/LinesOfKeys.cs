namespace ClaimCheck.Adapter.Tables;

/// <summary>
/// The records of a chunk, by their key: as if they came one by one, the last of each key counts (with <c>ignore</c> the first),
/// and where the table refuses that one, the next one does. One statement can't write two records with one key.
/// </summary>
internal sealed class LinesOfKeys
{
    private readonly Dictionary<int, Queue<int>> lines = [];
    private readonly HashSet<int> over = [];

    public LinesOfKeys(RecordChunk<Record> chunk, LoadPlan plan, RecordWriter records, HashSet<int> without)
    {
        var known = new Dictionary<string, Queue<int>>(chunk.Count, StringComparer.Ordinal);
        var text = new StringBuilder();
        for (var place = 0; place < chunk.Count; place++)
        {
            var index = plan.Ignores ? place : chunk.Count - 1 - place;
            if (without.Contains(index))
                continue;
            if (KeyOf(chunk[index].Value, plan, records, text) is not { } key)
                lines.Add(index, new()); // two NULLs are never equal
            else if (known.TryGetValue(key, out var line))
                line.Enqueue(index);
            else
                lines.Add(index, known[key] = new());
        }
    }

    /// <summary>For each key the record that counts, in their order.</summary>
    public int[] First() => [.. lines.Keys.Order()];

    /// <summary>Those that replace records that were refused.</summary>
    /// <param name="refused">All that were refused so far.</param>
    public int[] After(IEnumerable<int> refused)
    {
        var next = new List<int>();
        foreach (var index in refused.Where(over.Add).ToList())
        {
            if (!lines.Remove(index, out var line) || !line.TryDequeue(out var heir))
                continue;
            lines.Add(heir, line);
            next.Add(heir);
        }

        next.Sort();
        return [.. next];
    }

    private static string? KeyOf(Record record, LoadPlan plan, RecordWriter records, StringBuilder text)
    {
        text.Clear();
        foreach (var column in plan.KeyColumns)
        {
            if (records.ValueOf(record, column) is not { } value)
                return null;
            text.Append(value.Length).Append(':').Append(Encoding.Latin1.GetString(value));
        }

        return text.ToString();
    }
}
