using System.IO.Enumeration;
using System.Text.Json.Serialization;

namespace ClaimCheck.Import;

/// <summary>How files are found, read, mapped and sent: a JSON file, or a section of any configuration.</summary>
internal sealed class ImportOptions
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>The name of the import. The same content is imported once for each name.</summary>
    public string Name { get; set; } = "import";

    /// <summary>Where runs are kept. Processes that watch the same source on one machine share it.</summary>
    public string? State { get; set; }

    /// <summary>How long the directory of a run is kept after its end; its content counts as imported even after that.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>What is watched: a folder, or <c>s3://bucket/prefix</c>.</summary>
    public string? Source { get; set; }

    public ArrivalOptions Arrival { get; set; } = new();

    public ReadingOptions Reading { get; set; } = new();

    public MappingOptions Mapping { get; set; } = new();

    /// <summary>Records in one call, at most.</summary>
    public int BatchSize { get; set; } = 1000;

    /// <summary>Bytes of one call's records, at most; a single record may be larger.</summary>
    public int BatchBytes { get; set; } = 4 << 20;

    /// <summary>Calls at a time, over all files.</summary>
    public int Parallelism { get; set; } = 4;

    /// <summary>Files at a time: one that waits for its retries does not delay the next.</summary>
    public int Files { get; set; } = 4;

    public EndpointOptions Endpoint { get; set; } = new();

    public ImportRetryOptions Retry { get; set; } = new();

    /// <exception cref="ImportException">It can't be read.</exception>
    public static async Task<ImportOptions> LoadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.OpenRead(path);
            return await JsonSerializer.DeserializeAsync<ImportOptions>(file, Json, cancellationToken)
                ?? throw new ImportException(ImportCodes.InvalidConfiguration, $"The configuration {path} is null.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ImportException(
                ImportCodes.InvalidConfiguration, $"The configuration {path} can't be read: {e.Message}", e);
        }
    }
}

/// <summary>When a file in a watched folder counts as complete.</summary>
internal sealed class ArrivalOptions
{
    /// <summary>
    /// <c>stable</c>: its size and time have not changed for <see cref="Settle"/>; <c>marker</c>: a file of its name and
    /// <see cref="Marker"/> is beside it; <c>rename</c>: at once, for writers that rename complete files. Objects in S3 are
    /// complete when they appear; <c>marker</c> applies to them too.
    /// </summary>
    public string Complete { get; set; } = "stable";

    public TimeSpan Settle { get; set; } = TimeSpan.FromSeconds(5);

    public string Marker { get; set; } = ".done";

    /// <summary>The poll interval.</summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Names of files, with <c>*</c> and <c>?</c>. Empty: all names with a known extension.</summary>
    public List<string> Patterns { get; set; } = [];

    /// <summary>Whether a file of this name is to be imported.</summary>
    public bool Wants(string name) => name is not ("" or ['.', ..]) && (Patterns.Count > 0
        ? Patterns.Exists(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false))
            && !name.EndsWith(Marker, StringComparison.Ordinal)
        : RecordFile.FormatOf(name) is not null);

    /// <summary>The address of S3, where it is not AWS's own; by default what <c>AWS_ENDPOINT_URL_S3</c> or
    /// <c>AWS_ENDPOINT_URL</c> says.</summary>
    public string? ServiceUrl { get; set; }

    public string? Region { get; set; }
}

/// <summary>The format of the files.</summary>
internal sealed class ReadingOptions
{
    /// <summary><c>csv</c> or <c>ndjson</c>. Null: by the file's name.</summary>
    public string? Format { get; set; }

    /// <summary>One ASCII character.</summary>
    public string Delimiter { get; set; } = ",";

    /// <summary>A longer record is invalid.</summary>
    public int RecordBytes { get; set; } = 1 << 20;

    /// <summary>A file with more fails.</summary>
    public long Records { get; set; } = 10_000_000;

    /// <summary>A larger file, in stored bytes, fails before it is read or fetched.</summary>
    public long FileBytes { get; set; } = 64L << 30;

    /// <summary>A gzip file that decompresses to more times its size fails, beyond 64 MiB.</summary>
    public int UnpackRatio { get; set; } = 100;
}

/// <summary>How a record is converted.</summary>
internal sealed class MappingOptions
{
    /// <summary>The fields that are sent, by name. Empty: the source's own, unchanged.</summary>
    public Dictionary<string, FieldOptions> Fields { get; set; } = new(StringComparer.Ordinal);

    /// <summary>The field that names a record, of those that are sent. Such a field is required.</summary>
    public string? Key { get; set; }
}

/// <summary>One field that is sent.</summary>
internal sealed class FieldOptions
{
    /// <summary>The source's field.</summary>
    public string? From { get; set; }

    /// <summary>In place of <see cref="From"/>: the same for each record.</summary>
    [JsonConverter(typeof(AnyAsText))]
    public string? Constant { get; set; }

    /// <summary><c>text</c>, <c>integer</c>, <c>numeric</c>, <c>boolean</c>, <c>date</c>, <c>timestamptz</c>, <c>uuid</c>
    /// or <c>json</c>.</summary>
    public string Type { get; set; } = "text";

    /// <summary>Without it a record is invalid.</summary>
    public bool Required { get; set; }

    // A configuration contains text only; the field's type says what it is.
    private sealed class AnyAsText : JsonConverter<string?>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
                return reader.GetString();
            using var value = JsonDocument.ParseValue(ref reader);
            return value.RootElement.GetRawText();
        }

        public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value);
    }
}

/// <summary>Where records are sent.</summary>
internal sealed class EndpointOptions
{
    /// <summary>With <c>records</c> the address that is called; with <c>bulk-jobs</c> the service's.</summary>
    public string? Url { get; set; }

    /// <summary><c>records</c>: answered with a status per record; <c>bulk-jobs</c>: ClaimCheck's jobs.</summary>
    public string Contract { get; set; } = "records";

    /// <summary>With <c>bulk-jobs</c>: the operation.</summary>
    public string? Operation { get; set; }

    /// <summary>Sent as a bearer token; or <see cref="KeyFile"/>.</summary>
    public string? Key { get; set; }

    public string? KeyFile { get; set; }

    /// <summary>Sent with each call.</summary>
    public Dictionary<string, string> Headers { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A call that takes longer has failed transiently.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>With <c>bulk-jobs</c>: how long a job is waited for in one round.</summary>
    public TimeSpan JobTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>With <c>bulk-jobs</c>: the delay between two looks where the service asks for none.</summary>
    public TimeSpan JobPoll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Hosts of a job's results, besides the service's own.</summary>
    public List<string> ResultHosts { get; set; } = [];

    /// <summary>Longer answers are malformed.</summary>
    public int AnswerBytes { get; set; } = 16 << 20;
}

/// <summary>How transient failures are tried again.</summary>
internal sealed class ImportRetryOptions
{
    /// <summary>Tries of a call in one round.</summary>
    public int Tries { get; set; } = 4;

    /// <summary>The delay after the first try; it doubles, with jitter, to <see cref="LongestDelay"/>.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Rounds of one record, the first among them; then it goes to the rejects.</summary>
    public int Rounds { get; set; } = 6;

    /// <summary>The delay after the first round; it doubles, with jitter, to <see cref="LongestRoundDelay"/>.</summary>
    public TimeSpan RoundDelay { get; set; } = TimeSpan.FromSeconds(15);

    public TimeSpan LongestRoundDelay { get; set; } = TimeSpan.FromMinutes(15);
}
