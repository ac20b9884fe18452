namespace ClaimCheck.Import;

/// <summary>Checks options, and reports all faults at once.</summary>
internal static class ImportOptionsCheck
{
    private static readonly string[] Completions = ["stable", "marker", "rename"];
    private static readonly string[] Contracts = ["records", "bulk-jobs"];
    private static readonly string[] Formats = ["csv", "ndjson"];

    /// <exception cref="ImportException">An option is invalid.</exception>
    public static void Check(ImportOptions options)
    {
        var problems = Problems(options).ToList();
        if (problems.Count > 0)
            throw new ImportException(ImportCodes.InvalidConfiguration, string.Join(" ", problems));
    }

    /// <returns>What is wrong: the value, the rule, and the consequence.</returns>
    public static IEnumerable<string> Problems(ImportOptions options)
    {
        if (options.Name.Length is 0 or > 64 || !options.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            yield return $"name is '{options.Name}', but must be up to 64 letters, digits, dashes and "
                + "underscores: it is used in paths.";
        foreach (var problem in Range("batchSize", options.BatchSize, 1, 1000)
            .Concat(Range("batchBytes", options.BatchBytes, 1 << 10, 64 << 20))
            .Concat(Range("parallelism", options.Parallelism, 1, 64))
            .Concat(Range("files", options.Files, 1, 64))
            .Concat(Range("reading.recordBytes", options.Reading.RecordBytes, 1 << 10, 16 << 20))
            .Concat(Range("reading.unpackRatio", options.Reading.UnpackRatio, 2, 1100))
            .Concat(Range("reading.records", options.Reading.Records, 1, int.MaxValue))
            .Concat(Range("reading.fileBytes", options.Reading.FileBytes, 1 << 10, 1L << 50))
            .Concat(Range("retry.tries", options.Retry.Tries, 1, 100))
            .Concat(Range("retry.rounds", options.Retry.Rounds, 1, 1000))
            .Concat(Range("endpoint.answerBytes", options.Endpoint.AnswerBytes, 1 << 10, 256 << 20)))
            yield return problem;
        foreach (var problem in Durations(options))
            yield return problem;
        if (Array.IndexOf(Completions, options.Arrival.Complete) < 0)
            yield return $"arrival.complete is '{options.Arrival.Complete}', but must be one of "
                + $"{string.Join(", ", Completions)}: half-written files could be taken.";
        if (options.Arrival.Marker.Length == 0 || options.Arrival.Marker.Contains('/', StringComparison.Ordinal))
            yield return $"arrival.marker is '{options.Arrival.Marker}', but must be the end of a name, such as .done.";
        if (options.Arrival.ServiceUrl is { } s3 && !IsWeb(s3, out _))
            yield return $"arrival.serviceUrl is '{s3}', but must be http(s)://host[:port].";
        if (options.Reading.Format is { } format && Array.IndexOf(Formats, format) < 0)
            yield return $"reading.format is '{format}', but must be csv or ndjson.";
        if (options.Reading.Delimiter is not [var delimiter] || !char.IsAscii(delimiter)
            || delimiter is '"' or '\r' or '\n' or '\0')
            yield return $"reading.delimiter is '{options.Reading.Delimiter}', but must be one ASCII character that is "
                + "neither a quote nor a line end.";
        foreach (var problem in MappingProblems(options.Mapping).Concat(EndpointProblems(options.Endpoint)))
            yield return problem;
    }

    private static IEnumerable<string> Durations(ImportOptions options)
    {
        var day = TimeSpan.FromDays(1);
        return Between("retention", options.Retention, TimeSpan.FromHours(1), 3650 * day)
            .Concat(Between("arrival.settle", options.Arrival.Settle, TimeSpan.Zero, day))
            .Concat(Between("arrival.poll", options.Arrival.Poll, TimeSpan.FromMilliseconds(10), day))
            .Concat(Between("endpoint.timeout", options.Endpoint.Timeout, TimeSpan.FromMilliseconds(100), day))
            .Concat(Between("endpoint.jobTimeout", options.Endpoint.JobTimeout, TimeSpan.FromSeconds(1), 7 * day))
            .Concat(Between("endpoint.jobPoll", options.Endpoint.JobPoll, TimeSpan.FromMilliseconds(10), day))
            .Concat(Between("retry.delay", options.Retry.Delay, TimeSpan.FromMilliseconds(1), day))
            .Concat(Between("retry.longestDelay", options.Retry.LongestDelay, options.Retry.Delay, day))
            .Concat(Between("retry.roundDelay", options.Retry.RoundDelay, TimeSpan.FromMilliseconds(1), day))
            .Concat(Between("retry.longestRoundDelay", options.Retry.LongestRoundDelay, options.Retry.RoundDelay, day));
    }

    private static IEnumerable<string> MappingProblems(MappingOptions mapping)
    {
        if (mapping.Key is { } key && mapping.Fields.Count > 0 && !mapping.Fields.ContainsKey(key))
            yield return $"mapping.key is '{key}', but mapping.fields does not have that field: failures could "
                + "not name their record.";
        foreach (var (name, field) in mapping.Fields)
        {
            if (field is null || field.From is null == field.Constant is null)
            {
                yield return $"mapping.fields.{name} must have either from or constant: otherwise it has no value.";
                continue;
            }
            if (!FieldType.TryParse(field.Type, out var type))
                yield return $"mapping.fields.{name}.type is '{field.Type}', but must be one of "
                    + $"{string.Join(", ", FieldType.Names)}.";
            else if (field.Constant is { } constant && !type.IsValid(constant))
                yield return $"mapping.fields.{name}.constant is not of type {field.Type}: every record would be invalid.";
        }
    }

    private static IEnumerable<string> EndpointProblems(EndpointOptions endpoint)
    {
        if (Array.IndexOf(Contracts, endpoint.Contract) < 0)
            yield return $"endpoint.contract is '{endpoint.Contract}', but must be one of {string.Join(", ", Contracts)}.";
        if (endpoint.Contract == "bulk-jobs" && string.IsNullOrWhiteSpace(endpoint.Operation))
            yield return "endpoint.operation is not set, but endpoint.contract is bulk-jobs: the service must know "
                + "what to do with the items.";
        // Its own text could contain a password, so it is not quoted.
        if (endpoint.Url is null || !IsWeb(endpoint.Url, out var url) || url.UserInfo.Length > 0)
            yield return "endpoint.url must be an absolute http(s) address without a user: records could not be sent.";
        if (endpoint is { Key: not null, KeyFile: not null })
            yield return "endpoint.key and endpoint.keyFile are both set: remove one of them.";
        if (endpoint.Key is { } bearer && bearer.Any(char.IsControl))
            yield return "endpoint.key has a control character, which is not allowed in a header: no call could be made.";
        foreach (var (name, value) in endpoint.Headers)
        {
            using var probe = new HttpRequestMessage();
            if (value is null || !probe.Headers.TryAddWithoutValidation(name, value) || value.AsSpan().ContainsAny('\r', '\n'))
                yield return $"endpoint.headers has '{name}', which can't be a header of a call.";
            else if (name.Equals("Idempotency-Key", StringComparison.OrdinalIgnoreCase))
                yield return "endpoint.headers has 'Idempotency-Key', but each batch has its own: sending "
                    + "again would not be safe.";
        }
    }

    private static bool IsWeb(string text, out Uri url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url!) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    private static IEnumerable<string> Range(string name, long value, long from, long to)
    {
        if (value < from || value > to)
            yield return $"{name} is {value}, but must be from {from} to {to}.";
    }

    private static IEnumerable<string> Between(string name, TimeSpan value, TimeSpan from, TimeSpan to)
    {
        if (value < from || value > to)
            yield return $"{name} is {value}, but must be from {from} to {to}.";
    }
}
