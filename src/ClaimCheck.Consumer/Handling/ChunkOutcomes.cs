namespace ClaimCheck.Consumer.Handling;

/// <summary>How a record failed.</summary>
internal readonly record struct Outcome(string Class, string Code, string? Message);

/// <summary>The failures of a chunk, by the record's index in it. Nothing is allocated while all succeed.</summary>
internal sealed class ChunkOutcomes
{
    private const int MaxCode = 100;
    private const int MaxMessage = 1024;

    private readonly Lock guard = new();
    private Dictionary<int, Outcome>? failures;

    public int Count
    {
        get
        {
            lock (guard)
                return failures?.Count ?? 0;
        }
    }

    public IReadOnlyDictionary<int, Outcome> All =>
        failures ?? (IReadOnlyDictionary<int, Outcome>)System.Collections.ObjectModel.ReadOnlyDictionary<int, Outcome>.Empty;

    public void Fail(int index, string failureClass, string code, string? message)
    {
        var outcome = new Outcome(failureClass, Code(code), Text(message));
        lock (guard)
            (failures ??= [])[index] = outcome;
    }

    public void FailRest(int count, string failureClass, string code, string? message)
    {
        var outcome = new Outcome(failureClass, Code(code), Text(message));
        lock (guard)
        {
            failures ??= [];
            for (var i = 0; i < count; i++)
                failures.TryAdd(i, outcome);
        }
    }

    public void Clear()
    {
        lock (guard)
            failures = null;
    }

    public int CountOf(string failureClass)
    {
        lock (guard)
            return failures?.Values.Count(each => each.Class == failureClass) ?? 0;
    }

    public static string Code(string code)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(code);
        return code.Length <= MaxCode && !code.Any(char.IsControl)
            ? code
            : throw new ArgumentException(
                $"A failure's code has {code.Length} characters, but must be 1 to {MaxCode} without control characters.",
                nameof(code));
    }

    /// <summary>The text, cut to its limit; no surrogate pair is split, since half of one is not valid text.</summary>
    public static string Cut(string text, int length) =>
        text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];

    // Postgres can't store a NUL in text.
    private static string? Text(string? message) => message is null ? null : Cut(message.Replace('\0', ' '), MaxMessage);
}
