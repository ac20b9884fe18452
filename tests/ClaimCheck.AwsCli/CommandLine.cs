using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClaimCheck.AwsCli;

/// <summary>The arguments are not a call of the real command line, or not one that is supported here.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>A service, an operation and options with a value each; a flag has an empty one.</summary>
internal sealed class CommandLine(string operation, Dictionary<string, string> options)
{
    // What each operation takes; a name that ends in '?' may be left out.
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["s3api head-bucket"] = ["--bucket"],
        ["s3api create-bucket"] = ["--bucket", "--create-bucket-configuration?"],
        ["sns create-topic"] = ["--name"],
        ["sns subscribe"] = ["--topic-arn", "--protocol", "--notification-endpoint", "--return-subscription-arn"],
        ["sns set-subscription-attributes"] = ["--subscription-arn", "--attribute-name", "--attribute-value"],
        ["sqs get-queue-url"] = ["--queue-name"],
        ["sqs create-queue"] = ["--queue-name"],
        ["sqs get-queue-attributes"] = ["--queue-url", "--attribute-names"],
        ["sqs set-queue-attributes"] = ["--queue-url", "--attributes"],
    };

    public string Operation { get; } = operation;

    public string this[string option] => options[option];

    public string? Find(string option) => options.GetValueOrDefault(option);

    public static CommandLine Parse(string[] args)
    {
        var operation = string.Join(' ', args.Take(2));
        if (!Known.TryGetValue(operation, out var takes))
            throw new UsageException($"Unknown call '{operation}'.");
        var options = new Dictionary<string, string>();
        for (var i = 2; i < args.Length; i++)
        {
            var option = args[i];
            if (option is not ("--query" or "--output" or "--endpoint-url") && !takes.Any(name => name.TrimEnd('?') == option))
                throw new UsageException($"{operation} takes no {option} here.");
            var value = option == "--return-subscription-arn" ? ""
                : i + 1 < args.Length ? args[++i]
                : throw new UsageException($"{option} needs a value.");
            if (!options.TryAdd(option, value))
                throw new UsageException($"{option} is there twice.");
        }
        if (Array.Find(takes, name => !name.EndsWith('?') && !options.ContainsKey(name)) is { } missing)
            throw new UsageException($"{operation} needs {missing}.");
        if (options.GetValueOrDefault("--output") is not (null or "text" or "json"))
            throw new UsageException("--output is text or json here.");
        return new CommandLine(operation, options);
    }

    /// <summary>A map, as JSON or in shorthand: <c>Name=Value,Name=Value</c>.</summary>
    public Dictionary<string, string> Map(string option)
    {
        var text = this[option];
        try
        {
            return text.StartsWith('{')
                ? JsonSerializer.Deserialize<Dictionary<string, string>>(text)!
                : text.Split(',').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        }
        catch (Exception e) when (e is JsonException or IndexOutOfRangeException or ArgumentException)
        {
            throw new UsageException($"{option} is neither JSON nor shorthand.");
        }
    }

    /// <summary>The answer as it is to be shown: all of it, or the member that a path of names leads to.</summary>
    public string? Print(JsonObject? answer)
    {
        if (answer is null)
            return null;
        JsonNode? found = answer;
        foreach (var name in Find("--query")?.Split('.') ?? [])
            found = (found as JsonObject)?[name];
        return Find("--output") != "text" ? found?.ToJsonString() ?? "null"
            : found is JsonValue value ? value.ToString()
            : found is null ? "None"
            : throw new UsageException("Only single values are shown as text here.");
    }
}
