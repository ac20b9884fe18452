using System.Text.RegularExpressions;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// The folder of a batch: <c>{dataset}/{yyyy-MM-dd}/{exportId}</c>. Tokens are <c>{dataset}</c>, <c>{exportId}</c>,
/// <c>{batchId}</c>, and parts of the snapshot's time in UTC, of <c>yyyy MM dd HH mm ss</c> with <c>-</c> or <c>_</c> between.
/// The export or the batch must be among them: a folder belongs to one batch.
/// </summary>
internal sealed partial class FolderTemplate
{
    public const string Default = "{dataset}/{yyyy-MM-dd}/{exportId}";

    private readonly string text;

    private FolderTemplate(string text) => this.text = text;

    /// <summary>The depth of the folders.</summary>
    public int Depth => text.Count(c => c == '/') + 1;

    /// <param name="text">The template.</param>
    /// <param name="template">The result, where the text is valid.</param>
    /// <param name="problem">Otherwise what is wrong: the value, the rule, and the consequence.</param>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out FolderTemplate? template, [NotNullWhen(false)] out string? problem)
    {
        (template, problem) = (null, ProblemOf(text));
        if (problem is not null)
            return false;
        template = new FolderTemplate(text!);
        return true;
    }

    /// <exception cref="LocationException">The dataset's name can't be a folder's name.</exception>
    public string Render(Manifest manifest) => Render(manifest.Dataset, manifest.ExportId, manifest.BatchId, manifest.SnapshotAt);

    /// <inheritdoc cref="Render(Manifest)"/>
    public string Render(string dataset, ExportId exportId, BatchId batchId, DateTimeOffset snapshotAt) =>
        LocationPath.Checked(Tokens().Replace(text, token => token.Groups["name"].Value switch
        {
            // A name that is a path would choose its own folder.
            "dataset" => LocationPath.IsName(dataset) && dataset[0] != '.' ? dataset : throw new LocationException(
                LocationFailure.Refused, $"{batchId} gets no folder: the name of its dataset can't be a folder's name.", batchId),
            "exportId" => exportId.ToString(),
            "batchId" => batchId.ToString(),
            var date => snapshotAt.UtcDateTime.ToString(date.Length == 1 ? "%" + date : date, CultureInfo.InvariantCulture),
        }));

    public override string ToString() => text;

    private static string? ProblemOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "the folder template is empty, but must name a folder for each batch: batches would mix.";
        foreach (var name in Tokens().Matches(text).Select(token => token.Groups["name"].Value))
        {
            if (name is not ("dataset" or "exportId" or "batchId") && !DateParts().IsMatch(name))
            {
                return $"the folder template is '{text}', but {{{name}}} is not one of {{dataset}}, {{exportId}}, {{batchId}} " +
                    "and parts of yyyy, MM, dd, HH, mm, ss with '-' or '_' between: it would appear in paths unchanged.";
            }
        }
        var plain = Tokens().Replace(text, "x");
        if (!LocationPath.IsPath(plain) || plain.Split('/').Any(name => name[0] is '.' or '_'))
        {
            return $"the folder template is '{text}', but must be plain names (letters, digits, '._-=+@' and inner spaces, " +
                "none of which begins with '.' or '_') and tokens, with '/' between: other paths would lead out of the location, "
                + "or be hidden from those that read it.";
        }
        return text.Contains("{exportId}", StringComparison.Ordinal) || text.Contains("{batchId}", StringComparison.Ordinal)
            ? null
            : $"the folder template is '{text}', but must contain {{exportId}} or {{batchId}}: two batches of a day "
                + "would overwrite each other.";
    }

    [GeneratedRegex(@"\{(?<name>[^{}]*)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Tokens();

    [GeneratedRegex(@"^(yyyy|MM|dd|HH|mm|ss)([-_]?(yyyy|MM|dd|HH|mm|ss))*$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DateParts();
}
