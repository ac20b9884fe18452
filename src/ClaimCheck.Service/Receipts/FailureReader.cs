using System.IO.Pipelines;
using ClaimCheck.Service.Receipts.Ledger;

namespace ClaimCheck.Service.Receipts;

/// <summary>The body is invalid; the faults by field: <c>[12].class</c> is the thirteenth record's class.</summary>
internal sealed class BadFailuresException(string field, string message)
    : Exception("The body contains something that is not a failed record.")
{
    public string Field { get; } = field;
    public string Reason { get; } = message;
}

/// <summary>Reads failed records as they arrive, as a JSON array or one per line, with one in memory at a time.</summary>
internal sealed class FailureReader(PipeReader body)
{
    private const int LargestRecord = 32 << 10;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };
    private int index;

    /// <summary>How many were read.</summary>
    public int Count => index;

    /// <summary>One JSON array.</summary>
    /// <exception cref="BadFailuresException">An element is not a failed record.</exception>
    /// <exception cref="JsonException">The body is not an array.</exception>
    public async IAsyncEnumerable<RecordFailure> ReadArrayAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var state = new JsonReaderState(new() { MaxDepth = 8 });
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (NextOfArray(ref rest, ref state, read.IsCompleted) is { } failure)
                yield return failure;
            if (rest.Length > LargestRecord)
                throw TooLarge();
            body.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                yield break;
        }
    }

    /// <summary>One per line; blank lines are ignored.</summary>
    /// <exception cref="BadFailuresException">A line is not a failed record.</exception>
    public async IAsyncEnumerable<RecordFailure> ReadLinesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            while (NextLine(ref rest, read.IsCompleted) is { } line)
            {
                if (!IsBlank(line))
                    yield return ParseLine(line);
            }

            if (rest.Length > LargestRecord)
                throw TooLarge();
            body.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                yield break;
        }
    }

    private RecordFailure? NextOfArray(ref ReadOnlySequence<byte> rest, ref JsonReaderState state, bool isLast)
    {
        var reader = new Utf8JsonReader(rest, isLast, state);
        while (true)
        {
            var before = reader;
            if (!reader.Read())
                break;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray when reader.CurrentDepth == 0:
                case JsonTokenType.EndArray when reader.CurrentDepth == 0:
                    continue;
                case var _ when reader.CurrentDepth == 0:
                    throw new JsonException("The body is not an array.");
                case JsonTokenType.StartObject:
                    var start = reader.TokenStartIndex;
                    if (!reader.TrySkip())
                    {
                        // Not complete yet: parsed again when there is more.
                        rest = rest.Slice(before.BytesConsumed);
                        state = before.CurrentState;
                        return null;
                    }

                    var failure = Parse(rest.Slice(start, reader.BytesConsumed - start));
                    rest = rest.Slice(reader.BytesConsumed);
                    state = reader.CurrentState;
                    return failure;
                default:
                    throw new BadFailuresException($"[{index}]", "Must be an object.");
            }
        }

        rest = rest.Slice(reader.BytesConsumed);
        state = reader.CurrentState;
        return null;
    }

    private static ReadOnlySequence<byte>? NextLine(ref ReadOnlySequence<byte> rest, bool isLast)
    {
        ReadOnlySequence<byte> line;
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            line = rest.Slice(0, end);
            rest = rest.Slice(rest.GetPosition(1, end));
            return line;
        }

        if (!isLast || rest.IsEmpty)
            return null;
        line = rest;
        rest = rest.Slice(rest.End);
        return line;
    }

    private static bool IsBlank(ReadOnlySequence<byte> line)
    {
        foreach (var run in line)
        {
            if (run.Span.IndexOfAnyExcept(" \t\r"u8) >= 0)
                return false;
        }

        return true;
    }

    private RecordFailure ParseLine(ReadOnlySequence<byte> line)
    {
        try
        {
            return Parse(line);
        }
        catch (JsonException)
        {
            throw new BadFailuresException($"[{index}]", "Is not one well-formed JSON object.");
        }
    }

    private RecordFailure Parse(ReadOnlySequence<byte> json)
    {
        if (json.Length > LargestRecord)
            throw TooLarge();
        try
        {
            // Names are read here already, to find duplicates.
            using var document = JsonDocument.Parse(json, Strict);
            var failure = FailureRules.Read(document.RootElement, index);
            index++;
            return failure;
        }
        catch (InvalidOperationException)
        {
            throw new BadFailuresException($"[{index}]", "Holds text that is not well-formed Unicode.");
        }
    }

    private BadFailuresException TooLarge() => new($"[{index}]", $"Is larger than {LargestRecord:N0} bytes.");
}

/// <summary>The fields and limits of a failed record.</summary>
internal static class FailureRules
{
    private const int LongestKey = 1024;
    private const int LongestCode = 100;

    public static RecordFailure Read(JsonElement record, int index)
    {
        if (record.ValueKind != JsonValueKind.Object)
            throw new BadFailuresException($"[{index}]", "Must be an object.");
        foreach (var property in record.EnumerateObject())
        {
            if (property.Name is not ("key" or "class" or "code" or "message"))
                throw new BadFailuresException($"[{index}]", "Has a field other than key, class, code, message.");
        }

        var failure = new RecordFailure(
            Text("key", LongestKey, isRequired: true)!,
            Text("class", LongestCode, isRequired: true)!,
            Text("code", LongestCode, isRequired: true)!,
            Text("message", ReceiptLedger.LongestMessage, isRequired: false));
        return FailureClass.All.Contains(failure.Class, StringComparer.Ordinal)
            ? failure
            : throw new BadFailuresException($"[{index}].class", $"Must be one of {string.Join(", ", FailureClass.All)}.");

        string? Text(string field, int longest, bool isRequired)
        {
            if (!record.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
                return isRequired ? throw new BadFailuresException($"[{index}].{field}", "Must be given.") : null;
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= longest
                && (text.Length > 0 || field is "key" or "message") && !text.Contains('\0', StringComparison.Ordinal))
            {
                return text;
            }

            throw new BadFailuresException(
                $"[{index}].{field}", $"Must be text of at most {longest:N0} characters, without NUL.");
        }
    }
}
