using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Calls the service as any HTTP client would, and keeps the whole answer.</summary>
internal sealed class ApiClient(HttpClient http) : IDisposable
{
    public Uri Address => http.BaseAddress!;

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync("GET", path, null, headers);

    public Task<Answer> PostAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync("POST", path, Json(Encoding.UTF8.GetBytes(json)), headers);

    public async Task<Answer> SendAsync(
        string method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), path) { Content = content };
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                content?.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await http.SendAsync(request);
        return new(
            (int)response.StatusCode,
            response.Headers.Concat(response.Content.Headers)
                .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase),
            await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>The answer as a stream, for those that don't end.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>A request as it is written, for what no well-behaved client sends.</summary>
    /// <returns>The answer's head and body.</returns>
    public async Task<string> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Address.Host, Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request.ReplaceLineEndings("\r\n")));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
    }

    /// <summary>An export of a dataset, asked for.</summary>
    public async Task<JsonElement> AskAsync(string json)
    {
        var asked = await PostAsync("/v1/exports", json);
        Assert.True(asked.Status == 202, asked.Text);
        return asked.Json;
    }

    /// <summary>An export that is ready.</summary>
    public async Task<JsonElement> ReadyAsync(string json)
    {
        var asked = await PostAsync("/v1/exports", json, ("Prefer", "wait=60"));
        Assert.True(asked.Status == 200, asked.Text);
        Assert.Equal("ready", asked.Json.Text("state"));
        return asked.Json;
    }

    public void Dispose() => http.Dispose();

    public static HttpContent Json(byte[] body) =>
        new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
}

/// <summary>An answer, read to its end.</summary>
internal sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonElement.Parse(Body);

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>It is an error as every error is written.</summary>
    public void IsProblem(int status, string code)
    {
        Assert.True(Status == status, $"{Status} instead of {status}: {Text}");
        Assert.Equal("application/problem+json", Header("Content-Type"));
        var problem = Json;
        Assert.Equal(code, problem.Text("code"));
        Assert.Equal($"/problems/{code}", problem.Text("type"));
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEqual("", problem.Text("title"));
        Assert.NotEqual("", problem.Text("detail"));
        Assert.Contains("no-store", Header("Cache-Control"), StringComparison.Ordinal);
        if (status == 401)
            Assert.StartsWith("Bearer", Header("WWW-Authenticate"), StringComparison.Ordinal);
        if (status == 405)
            Assert.NotNull(Header("Allow"));
        if (status == 503 || code == "not_ready")
            Assert.True(int.Parse(Header("Retry-After")!) > 0);
    }

    /// <summary>It is a 422 over these fields, and no others.</summary>
    public void IsInvalid(params string[] fields)
    {
        IsProblem(422, "validation_failed");
        Assert.Equal(fields, Json.GetProperty("errors").EnumerateObject().Select(field => field.Name));
        Assert.All(Json.GetProperty("errors").EnumerateObject(), field => Assert.NotEqual(0, field.Value.GetArrayLength()));
    }
}

/// <summary>Short ways into JSON.</summary>
internal static class JsonReading
{
    public static string? Text(this JsonElement json, string name) => json.GetProperty(name).GetString();

    public static string Link(this JsonElement json, string name) => json.GetProperty("links").GetProperty(name).GetString()!;

    public static string[] Names(this JsonElement json) => [.. json.EnumerateObject().Select(property => property.Name)];

    public static JsonElement[] Items(this Answer answer)
    {
        Assert.True(answer.Status == 200, $"{answer.Status}: {answer.Text}");
        Assert.Equal(["items", "nextCursor"], answer.Json.Names());
        return [.. answer.Json.GetProperty("items").EnumerateArray()];
    }

    public static string? NextCursor(this Answer answer) => answer.Json.Text("nextCursor");
}
